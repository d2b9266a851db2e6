"""SEG-02: a level skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import rows_that_skip, violating_conversations
from policy.judged import DECLARED, Judged
from policy.violations import zone_text
from policy.zoning import CompiledSite


class SkippedLevel(BatchCheck):
    """A conversation straight between the office and the control levels, without a stop in the DMZ.

    Reports
        A conversation between a zone at Purdue level 4 or above and one at level 2 or below, in either
        direction, that no conduit declares in that direction. It takes the place of SEG-01 and SEG-03 for such
        a conversation: one conversation, one finding, the graver one. Where a conduit does declare it, the
        policy has accepted it and `policy check` warns of it once, instead of every hour of traffic.

    Why it matters
        The DMZ is where a connection from the office ends and is looked at. A connection that goes straight
        through carries whatever is in the office into the control system.

    Example
        An office workstation opens Modbus straight to a controller.

    Do not be fooled by
        A zone with the wrong level in the policy. Roles that were inferred because no SYN was seen: then the
        confidence is lower, and a conversation that is allowed the other way round is not reported.
    """

    id = "SEG-02"
    title = "a conversation that skips a Purdue level, with no stop in the DMZ"
    base_severity = 4
    references = ("SR 5.2",)
    techniques = ("T0886",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Crossings from level 4 and above to 2 and below, or back, that no conduit declares."""
        flows = judged.flow_minutes.filter((pl.col("relation") != DECLARED) & ~pl.col("swap_allowed"))
        return violating_conversations(site, flows.filter(rows_that_skip(site, flows)))

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The two zones with their levels, and what the policy says of the direction."""
        client, server = (site.zones[violation[side]] for side in ("client_zone", "server_zone"))
        text = (
            f"The client is in {zone_text(site, client.id)} at Purdue level {client.purdue:g}, the server in "
            f"{zone_text(site, server.id)} at level {server.purdue:g}. Between levels 4 and 2 a conversation has to "
            "end in a DMZ; this one goes straight through. "
        )
        if violation["reverse_conduit"]:
            return text + f"Only the other direction is declared, by conduit {violation['reverse_conduit']}."
        return text + "No conduit declares it."
