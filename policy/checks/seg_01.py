"""SEG-01: a conversation between zones that no conduit declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import rows_that_skip, violating_conversations
from policy.judged import UNDECLARED, Judged
from policy.violations import zone_text
from policy.zoning import CompiledSite


class UndeclaredConversation(BatchCheck):
    """A conversation between zones that no conduit declares.

    Reports
        A conversation whose client and server are in different zones, or one of them in none, where the policy
        has no conduit between the two in either direction. An attempt that nobody answered is reported too.
        Multicast, broadcast and link-local addresses cross no conduit and are left out. A conversation gets one
        verdict: where the two zones also skip a Purdue level, SEG-02 reports it and SEG-01 stays silent; where
        the other direction is declared, it is SEG-03.

    Why it matters
        Zones and conduits are the site's segmentation. Traffic that no conduit declares went around it: through
        a firewall rule nobody asked for, a second network card, a cable.

    Example
        An engineering laptop in the plant opens Modbus to a controller in the port, between which the policy
        has no conduit.

    Do not be fooled by
        No SYN seen: who is client and who is server is then inferred, and the confidence is lower. Network
        address translation, which shows the translator's address. An address that should be in a zone's
        prefixes and is not.
    """

    id = "SEG-01"
    title = "a conversation between zones that no conduit declares"
    base_severity = 3
    references = ("SR 5.1", "SR 5.2", "CIP-005 R1.3")
    techniques = ("T0886",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Crossings without a conduit in either direction that skip no level."""
        flows = judged.flow_minutes.filter(pl.col("relation") == UNDECLARED)
        return violating_conversations(site, flows.filter(~rows_that_skip(site, flows)))

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The two zones, and that no conduit joins them."""
        client, server = violation["client_zone"], violation["server_zone"]
        text = f"The client is in {zone_text(site, client)}, the server in {zone_text(site, server)}. "
        if client and server:
            return text + "The policy declares no conduit between these zones in either direction."
        return text + "The policy declares no conduit to or from addresses outside its zones."
