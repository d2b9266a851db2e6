"""COV-02: a clock that is off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.clocks import Clocks
from policy.judged import Judged
from policy.violations import zone_text
from policy.zoning import CompiledSite


class ClockOff(CaptureCheck):
    """A clock that differs from the capture's: a sender's, or the capture's own.

    Reports
        A sender whose messages all say, within five minutes and three times or more, that they were sent over 5 s
        after they were captured; or over a minute before. Told by Sparkplug payloads and by OPC UA servers that are
        asked for their time. Where two senders or more tell the time and all are off alike, the finding is of the
        capture's clock.

    Why it matters
        When something happened is half of the evidence. Windows, approvals and sessions are judged by the capture's
        clock; what the devices log is by theirs.

    Example
        After a restart the conveyors' gateway is a minute and a half ahead, and so is everything that it reports.

    Do not be fooled by
        Messages that were kept while a line was down, and come late: so a clock behind is the weaker finding. One
        sender alone: the network does not tell whose clock is off. A broker that passes old messages on is left out.
    """

    id = "COV-02"
    title = "a clock that is off"
    base_severity = 2
    references = ("SR 2.11",)
    #: What the confidence lacks where it is not high.
    doubt = "whose clock is off, or whether the messages were late, the network does not show for certain"

    def watch(self, site: CompiledSite) -> Watch:
        """What the messages say of the time."""
        return _Told(site)

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says whose it is, as far as that is known."""
        return self.title if any(violation["client_ip"]) else "a clock that is off, likely the capture's own"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Whose clock, and by how much."""
        asset = site.asset_of(violation["client_ip"])
        name = asset.label if asset else f"a sender of {zone_text(site, violation['client_zone'])}"
        whose = f"The clock of {name} is" if any(violation["client_ip"]) else "The senders' clocks are"
        return f"{whose} {violation['examples'][0]['text']}."


class _Told(Watch):
    settles = True

    def __init__(self, site: CompiledSite) -> None:
        self._clocks = Clocks(site)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._clocks.feed(judged.traffic)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        self._clocks.settle(before_ns)

    def violations(self) -> pl.DataFrame:
        """Clocks that are off."""
        return self._clocks.violations()
