"""Minutes of flows in; legs out: sessions from one machine to another by which somebody may have come in.

A leg is a TCP connection (or a stream of datagrams) of a remote access service, or of anything between a vendor's
addresses and the gateway of a rule. What the flow table cut in two, because it was silent for long, is one leg again.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.lookup import intervals_of
from policy.prefixes import PrefixMap, address_bytes
from policy.services import TCP, UDP
from policy.violations import confidence_of_roles
from policy.visits import ONWARD_SERVICES
from policy.zoning import CompiledSite

#: Minutes of legs that are kept; later ones are counted, not kept.
MINUTES_LIMIT: Final = 1_000_000

#: Of an interface so many are kept from one hour to the next: all are looked at again with every new one.
SETTLED_LIMIT: Final = 100_000

#: What makes a flow go on with another one.
_ENDS: Final = ["client_ip", "client_port", "server_ip", "server_port", "ip_proto"]
_KEPT: Final = (
    "client_ip",
    "server_ip",
    "ip_proto",
    "client_port",
    "server_port",
    "client_zone",
    "server_zone",
    "conduit",
)
_MINUTE: Final[dict[str, pl.DataType]] = {
    "flow_id": pl.UInt32(),
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "client_port": pl.UInt16(),
    "server_port": pl.UInt16(),
    "client_zone": pl.String(),
    "server_zone": pl.String(),
    "conduit": pl.String(),
    "service": pl.String(),
    "decoded": pl.Boolean(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    "frame": pl.UInt64(),
    "opened": pl.Boolean(),
    "established": pl.Boolean(),
    #: Payload went either way; the visitor sent some.
    "payload": pl.Boolean(),
    "busy": pl.Boolean(),
    "confidence_rank": pl.UInt8(),
}


class Legs:
    """Keeps the minutes of what may be remote access; grows with those, not with the traffic."""

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        rules = site.site.remote_access
        self._services = sorted({*ONWARD_SERVICES, *(name for rule in rules for name in rule.service)})
        self._sources = PrefixMap((source, True) for source in {s for rule in rules for s in rule.sources})
        gateways = [site.assets[rule.gateway] for rule in rules if rule.gateway]
        self._gateways = [address_bytes(asset.ip) for asset in gateways if asset.ip is not None]
        self._minutes = pl.DataFrame(schema=_MINUTE)
        self._pending: list[pl.DataFrame] = []
        #: Minutes that there was no room for.
        self.not_kept = 0

    def add(self, flow_minutes: pl.DataFrame) -> bool:
        """Take a batch of flow minutes that know their conversation; whether there was anything of interest."""
        remote = pl.col("service").is_in(self._services) & pl.col("ip_proto").is_in([TCP, UDP])
        rows = flow_minutes.filter(remote | pl.col("server_ip").is_in(self._gateways))
        held = pl.Series([bool(values) for values in self._sources.covering], dtype=pl.Boolean)
        of_source = held.gather(intervals_of(self._sources, rows["client_ip"]))
        rows = rows.filter(of_source | remote)
        if rows.is_empty():
            return False
        payload = (pl.col("payload_bytes_c2s") > 0) | (pl.col("payload_bytes_s2c") > 0)
        made = rows.select(
            "flow_id",
            *_KEPT,
            "service",
            decoded=pl.col("confidence").is_in(["handshake", "structure"]),
            first_ns=pl.col("first_ts").dt.epoch("ns"),
            last_ns=pl.col("last_ts").dt.epoch("ns"),
            frame="first_frame",
            opened=pl.col("syn_frame").is_not_null(),
            established="established",
            payload=payload,
            busy=pl.col("payload_bytes_c2s") > 0,
            confidence_rank=confidence_of_roles(),
        )
        room = max(MINUTES_LIMIT - self._minutes.height - sum(part.height for part in self._pending), 0)
        self.not_kept += max(made.height - room, 0)
        self._pending.append(made.head(room))
        return True

    def forget(self, before_ns: int) -> bool:
        """Forget sessions of which nothing was seen since, and of too many the oldest; whether there were any."""
        self._gather()
        before = self._minutes.height
        sessions = self._minutes.group_by(_ENDS).agg(pl.col("last_ns").max(), minutes=pl.len())
        sessions = sessions.sort("last_ns", *_ENDS, descending=[True, *(False for _ in _ENDS)])
        room = pl.col("minutes").cum_sum() <= SETTLED_LIMIT
        kept = sessions.filter((pl.col("last_ns") >= before_ns) & room)
        self._minutes = self._minutes.join(kept, on=_ENDS, how="semi", maintain_order="left")
        return self._minutes.height < before

    def _gather(self) -> None:
        if self._pending:
            self._minutes = pl.concat([self._minutes, *self._pending])
            self._pending = []

    def all(self) -> pl.DataFrame:
        """The legs up to now, by their first packet: columns of the minutes added up, and `idle_ns`."""
        self._gather()
        ends = _ENDS
        flows = (
            self._minutes.group_by("flow_id", *ends)
            .agg(pl.col("first_ns").min().alias("begun"), pl.col("opened").any())
            .sort("begun", "flow_id")
            # A flow without its opening goes on from the one before with the same ends.
            .with_columns(leg=(pl.col("opened") | (pl.int_range(pl.len()) == 0)).cum_sum().over(ends))
        )
        minutes = self._minutes.join(flows.select("flow_id", "leg"), on="flow_id").sort("first_ns", "frame")
        busy_end = pl.when("busy").then("last_ns")
        silence = pl.when("busy").then(
            pl.col("first_ns") - busy_end.forward_fill().shift(1).over(*ends, "leg")
        )
        legs = (
            minutes.with_columns(silence=silence)
            .group_by(*ends, "leg")
            .agg(
                *(pl.col(name).first() for name in _KEPT if name not in ends),
                pl.col("service").filter(pl.col("service") != "").last().fill_null(""),
                pl.col("decoded", "opened", "established", "payload").any(),
                pl.col("confidence_rank").max(),
                pl.col("first_ns").min(),
                last_ns=pl.when("payload").then("last_ns").max(),
                seen_ns=pl.col("last_ns").max(),
                busy_ns=busy_end.max(),
                frame=pl.col("frame").min(),
                silence=pl.col("silence").max(),
            )
        )
        legs = (
            legs.with_columns(
                last_ns=pl.coalesce("last_ns", "first_ns"),
                idle_ns=pl.max_horizontal(
                    pl.col("silence").fill_null(0), (pl.col("seen_ns") - pl.col("busy_ns")).fill_null(0)
                ),
                confirmed=pl.col("established") & pl.col("payload"),
            )
            .drop("silence", "busy_ns", "leg", "established", "payload")
            .sort("first_ns", "frame", *ends)
        )
        return legs.with_columns(allowed=self._site.rules.allow_rows(legs))
