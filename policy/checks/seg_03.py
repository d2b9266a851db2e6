"""SEG-03: a conversation opened against the conduit's direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import rows_that_skip, violating_conversations
from policy.judged import AGAINST, Judged
from policy.violations import zone_text
from policy.zoning import CompiledSite


class AgainstTheConduit(BatchCheck):
    """A conversation opened from the side of a conduit that is only meant to be asked.

    Reports
        A conversation whose client is in the zone that a conduit enters and whose server is in the zone it
        leaves, where no conduit declares that direction. Answers to permitted conversations are not
        conversations of their own and are not reported, nor is ICMP that nobody answers: path errors look so.

    Why it matters
        A conduit says who opens the conversation. A controller or historian that opens one towards the other
        side does what malware does that calls home, or what a firewall rule allows that nobody asked for.

    Example
        The policy lets the DMZ's historian ask the plant; a plant host opens a connection to the historian.

    Do not be fooled by
        FTP's data connections and OPC UA's ReverseHello, which the server opens. No SYN seen: if roles were
        guessed and the conversation is allowed the other way round, the guess is taken to be wrong.
    """

    id = "SEG-03"
    title = "a conversation opened against the conduit's direction"
    base_severity = 3
    references = ("SR 5.2",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Crossings where only the other direction has a conduit, no level is skipped and roles are believed."""
        flows = judged.flow_minutes.filter((pl.col("relation") == AGAINST) & ~pl.col("swap_allowed"))
        return violating_conversations(site, flows.filter(~rows_that_skip(site, flows)))

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The zone that opened it, and the conduit that goes the other way."""
        client, server = violation["client_zone"], violation["server_zone"]
        return (
            f"The conversation was opened from {zone_text(site, client)} to {zone_text(site, server)}. Conduit "
            f"{violation['reverse_conduit']} only lets {zone_text(site, server)} open conversations with "
            f"{zone_text(site, client)}."
        )
