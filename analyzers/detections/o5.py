"""O5: servers asked what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.declared import strangers
from analyzers.detections.opcua_rows import call_text, opcua
from analyzers.detections.rows import NOBODY, violations_of
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 12
_ASKING: Final = ("FindServers", "FindServersOnNetwork", "GetEndpoints")


class OpcUaDiscovery(Detection):
    """OPC UA servers asked what they offer, by a stranger or one after another.

    Reports
        FindServers and GetEndpoints by a client that no rule lets talk OPC UA to the server, or that is no declared
        asset where both are in one zone; by any client that asks several servers within two minutes.

    Why it matters
        The answers tell every endpoint, its security and its certificate: where to begin, and where it is weakest.

    Benign causes
        A client's browser of servers, opened by an engineer; an asset scanner.

    Evidence
        The calls with their frames.

    How to tune
        `detections.O5.servers`; declare who may ask.
    """

    id = "O5"
    title = "OPC UA servers asked what they offer"
    base_severity = 2
    reads = ("opcua",)
    techniques = ("T0846",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._strangers = Gathered()
        self._many = Bursts(self.settings.O5.servers, slots=_SLOTS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = opcua(traffic.opcua.filter(pl.col("service").is_in(_ASKING)), "browse")
        if rows.is_empty():
            return
        self._strangers.add(violations_of(rows.filter(strangers(self.site, rows)), call_text()))
        servers = pl.format("{}:{}", pl.col("server_ip").bin.encode("hex"), "server_port")
        known = rows.filter(~strangers(self.site, rows)).with_columns(server=servers)
        everywhere = known.with_columns(
            server_ip=pl.lit(NOBODY),
            server_port=pl.lit(0, pl.UInt16),
            what=pl.lit("servers"),
            conduit=pl.lit(""),
        )
        self._many.add(everywhere, call_text(), pl.col("server"))

    def violations(self) -> pl.DataFrame:
        """Both kinds; what strangers ask is told once."""
        return pl.concat([self._strangers.all(), self._many.violations()])

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Who asked, and what makes it a finding."""
        if violation["what"]:
            return (
                f"The client asked at least {self.settings.O5.servers} servers within two minutes what they offer, "
                f"{violation['count']} × in all."
            )
        return f"The client, which has no business with this server, asked it {violation['count']} × what it offers."
