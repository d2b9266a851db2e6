"""What every detection is: batches of traffic in, violations out, and why each is one in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import polars as pl

from analyzers.gathered import Gathered
from policy.detection_settings import DetectionSettings
from policy.traffic import Traffic
from policy.zoning import CompiledSite


@runtime_checkable
class Settling(Protocol):
    """What keeps rows by minute, and can do without those of long ago."""

    def settle(self, before_ns: int) -> None:
        """Forget what no later row needs: `before_ns` is the start of the first minute that is still told of."""


class Detection(ABC):
    """One behaviour that is looked for. The class docstring is its page in the manual.

    An instance looks at one capture: what it keeps may depend on the rows it was fed, never on how they were cut into
    batches.
    """

    id: ClassVar[str]
    #: Finishes "the network shows…".
    title: ClassVar[str]
    base_severity: ClassVar[int]
    #: The tables that it looks at, fields of Traffic: a batch without rows of any of them is not given to it.
    reads: ClassVar[tuple[str, ...]]
    references: ClassVar[tuple[str, ...]] = ()
    #: ATT&CK for ICS technique ids.
    techniques: ClassVar[tuple[str, ...]] = ()
    #: Those that a finding may be, and as well may not be.
    possible_techniques: ClassVar[tuple[str, ...]] = ()
    #: Of an interface: how long it is remembered what was not told yet. A later row may still make a finding of it.
    remembered_h: ClassVar[int] = 2
    #: It can leave out what it has found long ago; else what it keeps does not grow with time.
    settles: ClassVar[bool] = True

    def __init__(self, site: CompiledSite) -> None:
        self.site = site

    @property
    def settings(self) -> DetectionSettings:
        """The thresholds of this policy."""
        return self.site.site.detections

    @property
    def evicted(self) -> int:
        """Subjects forgotten for lack of room."""
        return 0

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before; nothing that is found in them later is told."""
        for part in vars(self).values():
            if isinstance(part, Settling):
                part.settle(before_ns)

    @abstractmethod
    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""

    @abstractmethod
    def violations(self) -> pl.DataFrame:
        """What was found up to now: columns of VIOLATION, one row a subject and minute."""

    @abstractmethod
    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Why this is a finding, in whole sentences; `violation` is a row of VIOLATION or several added."""

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """The title of one finding; the detection's own unless it can say more."""
        return self.title


class RowDetection(Detection):
    """A detection that tells by each row alone."""

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._gathered = Gathered()

    @abstractmethod
    def found(self, traffic: Traffic) -> pl.DataFrame:
        """The violations of one batch: columns of VIOLATION."""

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        self._gathered.add(self.found(traffic))

    def violations(self) -> pl.DataFrame:
        """What was found up to now."""
        return self._gathered.all()
