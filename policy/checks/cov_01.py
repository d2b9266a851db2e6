"""COV-01: a blind or degraded sensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.judged import Judged
from policy.sight import LOST, SILENCE, Sight
from policy.zoning import CompiledSite


class PoorSight(CaptureCheck):
    """A sensor that does not see what is there.

    Reports
        Minutes of which the capture lost more than one packet of a thousand: dropped, as the capture itself says, or
        acknowledged and never seen. Minutes in which half of the TCP conversations or more show one direction only,
        though the other one is acknowledged. Two whole minutes or more in which one interface shows nothing while
        others go on, if its connections have moved on afterwards.

    Why it matters
        What is not seen is not judged: no finding in such a minute means nothing. Silencing the sensor is also what
        somebody does first who knows that it is there.

    Example
        Somebody changes the switch in the intake tower; for three minutes its SPAN port shows nothing.

    Do not be fooled by
        A plant that stands still: its connections end, and nothing is missing afterwards. A capture that tells of its
        drops in one sum at the end: they may be of any minute. One interface alone that is silent: then time stands
        still for it, too, and only what is missing tells.
    """

    id = "COV-01"
    title = "a blind or degraded sensor"
    base_severity = 3
    references = ("SR 6.2", "CIP-015 R1")

    def watch(self, site: CompiledSite) -> Watch:
        """What was seen, minute by minute."""
        return _Seen()

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of the three it is."""
        kind, _, interface = violation["what"].partition(": ")
        of = f" ({interface})" if interface else ""
        if kind == SILENCE:
            return f"a sensor that was blind while traffic went on{of}"
        return (
            f"a sensor that lost part of the traffic{of}"
            if kind == LOST
            else "a sensor that saw one direction only"
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was seen and what was not."""
        return (
            f"What happened then was seen in part or not at all, {violation['count']} × : "
            f"{violation['examples'][0]['text']}."
        )


class _Seen(Watch):
    settles = True

    def __init__(self) -> None:
        self._sight = Sight()

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._sight.feed(judged)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        self._sight.settle(before_ns)

    def violations(self) -> pl.DataFrame:
        """Poor minutes up to now."""
        return self._sight.violations()
