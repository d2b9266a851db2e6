"""Messages that say when they were sent in; whose clock is off, and by how much, out.

A message cannot be captured before it was sent: if all of a sender's messages say so, its clock is not the capture's.
It can be late: then its clock is behind, or it was kept somewhere on the way. Sources: the timestamp of Sparkplug
payloads (Sparkplug 3.0, 6.4), and what OPC UA servers answer when they are asked for their time (i=2258, OPC 10000-5,
12.10).
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from policy.devices import NOBODY, of_device
from policy.traffic import Traffic
from policy.violations import HIGH, LOW, MEDIUM, MINUTE_NS, VIOLATION, grouped
from policy.zoning import CompiledSite

#: A clock is looked at over so long, and has to be told so often in it.
SLOT_NS: Final = 5 * MINUTE_NS
LEAST_TOLD: Final = 3
#: Ahead of the capture by more than this, or behind it by more than this, is off.
AHEAD_NS: Final = 5_000_000_000
BEHIND_NS: Final = 60_000_000_000
#: Clocks that differ by less are alike.
ALIKE_NS: Final = 2_000_000_000
#: Clocks and slots that are kept: those that came first.
SLOTS_LIMIT: Final = 100_000

_BY_NODE: Final = ("nbirth", "dbirth", "ndata", "ddata")
_CURRENT_TIME: Final = "i=2258"
_TOLD: Final = {
    "ip": pl.Binary(),
    "zone": pl.String(),
    "source": pl.String(),
    "slot": pl.Int64(),
    "told": pl.UInt32(),
    #: The capture's clock minus the sender's: of the freshest message, and of the latest.
    "least_ns": pl.Int64(),
    "most_ns": pl.Int64(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    "frame": pl.UInt64(),
}
_CLOCK: Final = ("ip", "zone", "source", "slot")


class Clocks:
    """The clocks that a capture tells of; grows with senders and their slots."""

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._told = pl.DataFrame(schema=_TOLD)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        told = pl.concat([_of_sparkplug(traffic.mqtt), _of_opcua(traffic.opcua)])
        if told.is_empty():
            return
        off_ns = pl.col("ts_ns") - pl.col("said_ns")
        rows = told.with_columns(
            self._site.zones_of(told["ip"]).alias("zone"),
            slot=pl.col("ts_ns") // SLOT_NS * SLOT_NS,
            told=pl.lit(1, pl.UInt32),
            least_ns=off_ns,
            most_ns=off_ns,
            first_ns="ts_ns",
            last_ns="ts_ns",
        )
        both = pl.concat([self._told, rows.select(*_TOLD)]).group_by(_CLOCK, maintain_order=True)
        added = both.agg(
            pl.col("told").sum(),
            pl.col("least_ns").min(),
            pl.col("most_ns").max(),
            pl.col("first_ns").min(),
            pl.col("last_ns").max(),
            pl.col("frame").min(),
        )
        self._told = added.select(*_TOLD).head(SLOTS_LIMIT)

    def settle(self, before_ns: int) -> None:
        """Forget the slots that ended before."""
        self._told = self._told.filter(pl.col("slot") + SLOT_NS > before_ns)

    def violations(self) -> pl.DataFrame:
        """Clocks that are off, by slot: columns of VIOLATION. Where all are off alike it is the capture's."""
        clocks = self._told.filter(pl.col("told") >= LEAST_TOLD).with_columns(
            # The freshest message tells most: what is on the way can only be late.
            off_ns="least_ns",
            is_ahead=pl.col("most_ns") < -AHEAD_NS,
            is_behind=pl.col("least_ns") > BEHIND_NS,
        )
        rows = []
        for _, those in clocks.sort(*_CLOCK).group_by("slot", maintain_order=True):
            rows += _of_slot(those.to_dicts())
        if not rows:
            return pl.DataFrame(schema=VIOLATION)
        made = pl.DataFrame(
            rows,
            schema_overrides={
                "client_ip": pl.Binary,
                "server_ip": pl.Binary,
                "frame": pl.UInt64,
                "confidence_rank": pl.UInt8,
            },
        )
        return grouped(of_device(made), lambda examples: examples.with_columns(nearest=pl.lit("")))


def _of_slot(clocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    off = [one for one in clocks if one["is_ahead"] or one["is_behind"]]
    senders = {one["ip"] for one in clocks}
    offsets = [one["off_ns"] for one in clocks]
    if len(senders) > 1 and len(off) == len(clocks) and max(offsets) - min(offsets) < ALIKE_NS:
        first = min(off, key=lambda one: (one["first_ns"], one["ip"]))
        of_all = {**first, "ip": NOBODY, "zone": "", "last_ns": max(one["last_ns"] for one in off)}
        return [
            _row(of_all, MEDIUM, f"{len(senders)} senders agree, so it is rather the capture's own clock")
        ]
    rows = []
    for one in off:
        right = {other["ip"] for other in clocks if other not in off}
        rank = (MEDIUM if one["is_ahead"] else LOW) + bool(right)
        agreeing = f", while the clocks of others ({len(right)}) are the capture's"
        others = agreeing if right else ", and by nobody else"
        late = "" if one["is_ahead"] else "; its messages may have been kept on the way"
        rows.append(_row(one, min(rank, HIGH), f"{one['told']} times by {one['source']}{others}{late}"))
    return rows


def _row(one: dict[str, Any], rank: int, how: str) -> dict[str, Any]:
    seconds = abs(one["off_ns"]) / 1e9
    way = "ahead of" if one["off_ns"] < 0 else "behind"
    return {
        "client_ip": one["ip"],
        "server_ip": NOBODY,
        "client_zone": one["zone"],
        "server_zone": "",
        "what": "",
        "operation": "clock.tell",
        "ts_ns": one["first_ns"],
        "last_ns": one["last_ns"],
        "frame": one["frame"],
        "confidence_rank": rank,
        "text": f"{seconds:.1f} s {way} the capture's clock, told {how}",
    }


def _of_sparkplug(rows: pl.DataFrame) -> pl.DataFrame:
    sent = rows.filter(
        pl.col("sparkplug_type").is_in(_BY_NODE)
        & (pl.col("direction") == "client_to_broker")
        & ~pl.col("dup")
        & pl.col("sparkplug_ts").is_not_null()
        & pl.col("request_frame").is_not_null()
    )
    return _told(sent, "client_ip", "Sparkplug", pl.col("sparkplug_ts"), "request_frame")


def _of_opcua(rows: pl.DataFrame) -> pl.DataFrame:
    nodes, values = pl.col("nodes"), pl.col("values_read")
    asked = rows.filter(
        (pl.col("service") == "Read")
        & (nodes.list.len() == 1)
        & (nodes.list.first() == _CURRENT_TIME)
        & (values.list.len() == 1)
        & pl.col("request_frame").is_not_null()
    )
    said = values.list.first().str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC", strict=False
    )
    read = asked.with_columns(said=said).drop_nulls("said")
    return _told(read, "server_ip", "OPC UA", pl.col("said"), "request_frame")


def _told(rows: pl.DataFrame, sender: str, source: str, said: pl.Expr, frame: str) -> pl.DataFrame:
    return rows.select(
        ip=sender,
        source=pl.lit(source),
        ts_ns=pl.col("ts").dt.epoch("ns"),
        said_ns=said.dt.epoch("ns"),
        frame=frame,
    )
