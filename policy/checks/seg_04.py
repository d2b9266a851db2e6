"""SEG-04: a service the conduit does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import DECLARED, Judged
from policy.violations import LOW, zone_text
from policy.zoning import CompiledSite

#: In `what`: the port is allowed for a protocol, and the bytes were not recognised as that protocol.
UNRECOGNISED: Final = "unrecognised"


class ServiceNotAllowed(BatchCheck):
    """A conversation across a declared conduit that none of its rules allows.

    Reports
        A conversation in a conduit's direction for which no rule fits its source, destination, service and
        port. A protocol that was decoded counts for what it is, on any port: a rule for Modbus on port 502 does
        not allow HTTP on port 502, nor Modbus on port 503. A protocol that was not decoded counts for what its
        port says; but where the rule's protocol is one that would have been recognised, and both sides sent
        payload that was not, it is reported with low confidence.

    Why it matters
        A conduit is as narrow as its rules. A service nobody asked for is a way in, and an allowed port with
        another protocol inside is how tunnels look.

    Example
        The conduit allows the historian Modbus on port 502; another host of the DMZ opens it, or the historian
        opens SSH.

    Do not be fooled by
        Services that open further ports: dynamic RPC, passive FTP. A capture that begins in the middle of a
        conversation: roles are inferred then, and one that is allowed the other way round is not reported. Several
        services between two hosts on one port are one finding, which names one of them: its evidence names each.
    """

    id = "SEG-04"
    title = "a service that the conduit does not allow"
    base_severity = 3
    references = ("SR 7.7", "CIP-007 R1")

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Crossings along a conduit that no rule allows, or that hide behind an allowed port."""
        flows = judged.flow_minutes.filter(pl.col("relation") == DECLARED)
        denied = flows.filter(~pl.col("allowed") & ~pl.col("swap_allowed"))
        expected = pl.Series([verdict.expected for verdict in site.rules.verdicts], dtype=pl.String)
        both_sides = (pl.col("payload_bytes_c2s") > 0) & (pl.col("payload_bytes_s2c") > 0)
        unseen = (pl.col("gap_bytes_c2s") > 0) | (pl.col("gap_bytes_s2c") > 0)
        unrecognised = flows.filter(
            pl.col("allowed")
            & (expected.gather(flows["verdict"]) != "")
            & (pl.col("service") == "")
            & both_sides
            & ~unseen
        )
        return pl.concat(
            [
                violating_conversations(site, denied),
                violating_conversations(
                    site, unrecognised, confidence=pl.lit(LOW, pl.UInt8), what=UNRECOGNISED
                ),
            ]
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The conduit, the service that was seen, and the rule that came closest."""
        service = violation["decoded_service"] or violation["hinted_service"]
        conduit = violation["conduit"]
        where = f" on port {violation['server_port']}" if violation["server_port"] else ""
        start = (
            f"Conduit {conduit} from {zone_text(site, violation['client_zone'])} to "
            f"{zone_text(site, violation['server_zone'])} "
        )
        if violation["what"] == UNRECOGNISED:
            return start + (
                f"allows this conversation{where} only as a protocol that would have been recognised. Both sides "
                "sent payload, and it was not."
            )
        seen = f"{service}{where}" if service else f"the service{where}"
        text = start + f"has no rule that allows {seen} between these two hosts. "
        nearest = violation["examples"][0]["nearest"]
        if not nearest:
            return text + "It has no rules at all."
        rule, _, wanted = nearest.partition(": ")
        return text + f"Rule {rule} comes closest; it is {wanted}."
