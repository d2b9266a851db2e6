"""O1: a session without security where better is to be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.opcua_rows import call_text, opcua
from analyzers.detections.rows import violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import zone_text
from policy.zoning import CompiledSite


class OpcUaWithoutSecurity(Detection):
    """OPC UA security None where the server's zone has better.

    Reports
        Sessions created on a channel with security mode None, with a server in whose zone other channels are signed,
        or signed and encrypted. Discovery (FindServers, GetEndpoints) needs no security and is left out.

    Why it matters
        Everything in such a session can be read and changed on the way. That the zone can do better shows that it was
        not needed.

    Benign causes
        An old client that knows no security; commissioning.

    Evidence
        The calls that created the session, with their frames.

    How to tune
        It has no threshold. Forbid mode None at the server; a rule's `min_mode` says what the policy demands.
    """

    id = "O1"
    title = "an OPC UA session without security where better is to be had"
    base_severity = 3
    reads = ("opcua",)
    techniques = ("T0842",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._plain = Gathered()
        self._better = FirstTimes({"server_zone": pl.String()})

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        mode = pl.col("security_mode")
        better = traffic.opcua.filter(mode.is_in(["sign", "sign_and_encrypt", "sign_or_encrypt"]))
        self._better.add(better, pl.col("ts").dt.epoch("ns"))
        rows = traffic.opcua.filter((mode == "none") & (pl.col("service") == "CreateSession"))
        self._plain.add(violations_of(opcua(rows, "session"), call_text()))

    def violations(self) -> pl.DataFrame:
        """Sessions without security in zones that have better, whether that was seen before or after."""
        return self._plain.all().join(self._better.all(), on="server_zone", how="semi")

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was begun, and that better is there."""
        return (
            f"{violation['count']} sessions were created on a channel without security, though other "
            f"channels to servers of {zone_text(site, violation['server_zone'])} are signed or encrypted."
        )
