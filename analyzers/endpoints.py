"""Flows in; which services each address offered and used, and at which MAC address it was seen, out."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Rows of each of the two tables that are kept: a flood of addresses costs the addresses that come last.
ROWS_KEPT: Final = 262_144

_TIME: Final = pl.Datetime("ns", "UTC")

#: A service of an address. `port` is 0 for a service that it used: clients' ports say nothing.
SERVICES: Final[dict[str, pl.DataType]] = {
    "ip": pl.Binary(),
    "offered": pl.Boolean(),
    "service": pl.String(),
    "ip_proto": pl.UInt8(),
    "port": pl.UInt16(),
    "flows": pl.UInt64(),
    "sure": pl.Boolean(),
    "first_seen": _TIME,
    "last_seen": _TIME,
}

#: A MAC address that an address's packets came from, its own or its router's.
SENDERS: Final[dict[str, pl.DataType]] = {
    "ip": pl.Binary(),
    "mac": pl.UInt64(),
    "first_seen": _TIME,
    "last_seen": _TIME,
}

_SERVICE_KEY: Final = ("ip", "offered", "service", "ip_proto", "port")
_SENDER_KEY: Final = ("ip", "mac")


class Endpoints:
    """Adds up the ended flows of a capture."""

    def __init__(self, rows_kept: int = ROWS_KEPT) -> None:
        self._rows_kept = rows_kept
        self._services = pl.DataFrame(schema=SERVICES)
        self._senders = pl.DataFrame(schema=SENDERS)
        #: Services and senders of flows that there was no room for.
        self.not_kept = 0

    def add(self, flows: pl.DataFrame) -> None:
        """Take rows of the table `flows`. Only who has sent something is there."""
        if flows.is_empty():
            return
        sides = pl.concat([_side(flows, offered=True), _side(flows, offered=False)])
        self._services = self._merged(self._services, sides.drop("mac"), _SERVICE_KEY)
        self._senders = self._merged(
            self._senders, sides.filter(pl.col("mac") != 0).select(*SENDERS), _SENDER_KEY
        )

    def services(self) -> pl.DataFrame:
        """All services of all addresses, in the order of their keys."""
        return self._services.sort(_SERVICE_KEY)

    def senders(self) -> pl.DataFrame:
        """All MAC addresses of all addresses, in the order of their keys."""
        return self._senders.sort(_SENDER_KEY)

    def _merged(self, known: pl.DataFrame, rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
        """Both added up; new keys are let in, in their order, while there is room."""
        new = rows.join(known, on=key, how="anti", maintain_order="left").select(key)
        new = new.unique(keep="first", maintain_order=True)
        room = max(self._rows_kept - known.height, 0)
        if new.height > room:
            refused = new[room:]
            kept = rows.join(refused, on=key, how="anti", maintain_order="left")
            self.not_kept += rows.height - kept.height
            rows = kept
        sums = [pl.col("first_seen").min(), pl.col("last_seen").max()]
        if "flows" in rows.columns:
            sums += [pl.col("flows").sum(), pl.col("sure").any()]
        merged = pl.concat([known, rows.select(known.columns)]).group_by(key, maintain_order=True).agg(sums)
        return merged.select(known.columns)


def _side(flows: pl.DataFrame, *, offered: bool) -> pl.DataFrame:
    side, sent = ("server", "packets_s2c") if offered else ("client", "packets_c2s")
    rows = flows.filter(pl.col(sent) > 0)
    return rows.select(
        ip=f"{side}_ip",
        mac=f"{side}_mac",
        offered=pl.lit(offered),
        service="service",
        ip_proto="ip_proto",
        port=pl.col("server_port") if offered else pl.lit(0, pl.UInt16),
        flows=pl.lit(1, pl.UInt64),
        sure=pl.col("confidence").is_in(["structure", "handshake"]),
        first_seen="ts",
        last_seen="last_ts",
    )
