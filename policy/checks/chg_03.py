"""CHG-03: drift that outlives the rollback deadline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.drift import Drift
from policy.judged import Judged
from policy.violations import VIOLATION
from policy.zoning import CompiledSite


class LastingDrift(CaptureCheck):
    """What came with a change and is still there after the moment at which it had to be gone.

    Reports
        Of changes with `rollback_by`: a conversation with one of its devices that was not there before the change,
        that began between its start and that moment, and that goes on afterwards. Conversations are told apart by
        client, server, protocol and port; both ends have to have spoken. Only of devices that were seen in five
        minutes or more before the change: else nobody knows what was usual.

    Why it matters
        What is opened for a change and not closed again is a way that nobody remembers.

    Example
        For the commissioning the engineering station records the valve's values. The change was over on Tuesday;
        on Friday the recording still runs.

    Do not be fooled by
        A change that was meant to stay: take `rollback_by` out once it is accepted. Conversations that are rarer than
        what was seen before the change: they look new.
    """

    id = "CHG-03"
    title = "a conversation that came with a change and outlives its rollback deadline"
    base_severity = 3
    references = ("CIP-010",)

    def watch(self, site: CompiledSite) -> Watch:
        """One comparison for each change with a deadline."""
        return _Outliving(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The change, its deadline, and who still talks."""
        change = next(one for one in site.site.changes if one.ref == violation["what"])
        start, deadline = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (change.start, change.rollback_by))
        return (
            f"Before change {change.ref} began at {start} this conversation was not there; it came with the change, "
            f"whose `rollback_by` was {deadline}, and is still there: {violation['examples'][0]['text']}."
        )


class _Outliving(Watch):
    settles = True

    def __init__(self, site: CompiledSite) -> None:
        self._changes = [Drift(site, change) for change in site.site.changes if change.rollback_by]

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        for change in self._changes:
            change.feed(judged.traffic.flow_minutes)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        for change in self._changes:
            change.settle(before_ns)

    def violations(self) -> pl.DataFrame:
        """What each change left behind."""
        return pl.concat([pl.DataFrame(schema=VIOLATION), *(one.violations() for one in self._changes)])
