"""What every policy check is: judged traffic in, violations out, and why each is one in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from policy.judged import Judged
from policy.model import RemoteAccess
from policy.violations import NO_VIOLATIONS
from policy.visits import ONWARD, violating_visits
from policy.zoning import CompiledSite


class Check(ABC):
    """One check of the policy. The class docstring is its page in the manual."""

    id: ClassVar[str]
    #: Finishes "the network shows…".
    title: ClassVar[str]
    base_severity: ClassVar[int]
    references: ClassVar[tuple[str, ...]]
    #: ATT&CK for ICS technique ids.
    techniques: ClassVar[tuple[str, ...]] = ()
    #: Those that a violation may be, and as well may not be.
    possible_techniques: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Why this is a violation, in whole sentences; `violation` is a row of VIOLATION or several added."""

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """The title of one violation; the check's own unless it can say more."""
        return self.title


class BatchCheck(Check):
    """A check that tells by each row alone."""

    @abstractmethod
    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The violations in one batch: columns of VIOLATION, one row a subject and minute."""


class Watch(ABC):
    """A check at work on one capture: it keeps what it needs of the batches, in bounds, however they are cut."""

    #: What it found in minutes of long ago can be left out; else what it keeps does not grow with time.
    settles: ClassVar[bool] = False

    @abstractmethod
    def feed(self, judged: Judged) -> None:
        """Take one batch."""

    def settle(self, before_ns: int) -> None:  # noqa: B027 - most have nothing to forget
        """Forget minutes before, the start of one: nothing that is found in them later is told."""

    @abstractmethod
    def violations(self) -> pl.DataFrame:
        """What the batches up to now show: columns of VIOLATION, one row a subject and minute."""


class CaptureCheck(Check):
    """A check that has to see more than a row: devices, names, what is never used."""

    @abstractmethod
    def watch(self, site: CompiledSite) -> Watch:
        """Begin with a capture."""


class AccessCheck(Check):
    """A check of remote access: it looks at whole visits."""

    #: It looks at what visited machines open, not at the visits themselves.
    of_onward: ClassVar[bool] = False

    @abstractmethod
    def broken(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """Visits (columns of VISIT) in; those that violate, each with what it did (columns of BROKEN), out."""

    def violations(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """The same as violations: columns of VIOLATION."""
        if visits.is_empty():
            return NO_VIOLATIONS
        return violating_visits(visits, self.found(site, visits))

    def found(self, site: CompiledSite, visits: pl.DataFrame) -> pl.DataFrame:
        """What the check says of those rows that are its matter: columns of BROKEN."""
        return self.broken(site, visits.filter((pl.col("came") == ONWARD) == self.of_onward))

    def rule_of(self, site: CompiledSite, violation: Mapping[str, Any]) -> RemoteAccess:
        """The remote access rule that a violation is of."""
        name = violation["examples"][0]["nearest"]
        return next(rule for rule in site.site.remote_access if rule.id == name)

    def seen(self, violation: Mapping[str, Any]) -> str:
        """What was seen, in a sentence's second half."""
        return str(violation["examples"][0]["text"])
