"""G6: a second server of addresses or names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.rows import NOBODY, told, violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_DHCP_PORT: Final = 67
_DNS_PORT: Final = 53
_SERVES: Final = {"client_ip": pl.Binary(), "what": pl.String()}


class SecondServer(Detection):
    """A second DHCP or DNS server answering.

    Reports
        A server that gives addresses, or one inside the site's zones that answers questions for names, that the policy
        declares no asset for, where another one serves as well: a declared one, or else the one that came first.

    Why it matters
        Who gives addresses decides where everything is sent: through a machine that reads along.

    Benign causes
        A router or an access point brought along, with its server switched on; a new server not declared yet.

    Evidence
        The first answers with their frames.

    How to tune
        It has no threshold. Declare the servers as assets of the policy.
    """

    id = "G6"
    title = "a second DHCP or DNS server answering"
    base_severity = 4
    reads = ("dns", "observations")
    techniques = ("T0830",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._gathered = Gathered()
        self._servers = FirstTimes(_SERVES)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        dhcp = traffic.observations.filter(
            (pl.col("source") == "dhcp") & (pl.col("kind") == "role") & (pl.col("value") == "dhcp server")
        ).with_columns(client_ip="ip")
        self._take(dhcp, "dhcp", _DHCP_PORT, pl.lit("gives addresses"))
        dns = traffic.dns.filter(
            (pl.col("outcome") == "answered") & (pl.col("service") == "dns") & (pl.col("server_zone") != "")
        ).with_columns(client_ip="server_ip", frame=pl.col("response_frame"))
        self._take(dns, "dns", _DNS_PORT, pl.lit("answers questions for names"))

    def _take(self, rows: pl.DataFrame, service: str, port: int, text: pl.Expr) -> None:
        if rows.is_empty():
            return
        placed = rows.with_columns(
            client_zone=self.site.zones_of(rows["client_ip"]),
            server_zone=pl.lit(""),
            server_ip=pl.lit(NOBODY),
            server_port=pl.lit(port, pl.UInt16),
            conduit=pl.lit(""),
            # The server named itself.
            role_source=pl.lit("syn"),
        )
        serving = told(placed, service, "serve", what=pl.lit(service))
        self._servers.add(serving, pl.col("ts_ns"))
        known = pl.col("client_ip").is_in(list(self.site.assets_by_address))
        self._gathered.add(violations_of(serving.filter(~known), text))

    def violations(self) -> pl.DataFrame:
        """Undeclared servers; without a declared one beside them all but the first."""
        servers = self._servers.all()
        declared = servers.filter(pl.col("client_ip").is_in(list(self.site.assets_by_address)))
        first = servers.sort("seen_ns", "client_ip").group_by("what", maintain_order=True).first()
        alone = first.join(declared, on="what", how="anti")
        return self._gathered.all().join(alone, on=list(_SERVES), how="anti")

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What it serves, and that others do."""
        text = violation["examples"][0]["text"]
        return f"This address {text}, as other servers do; the policy declares no asset for it."
