"""Coverage and flow minutes in; the minutes in which the sensor did not see what was there out.

Three things tell a blind sensor from a quiet plant. Lost: the capture says that it dropped frames, or one side
acknowledges segments that never came by. One direction: half of a minute's conversations have payload one way and
nothing at all the other way, though what is missing is acknowledged. Silence: one interface shows nothing for whole
minutes while others go on, and afterwards the sequence numbers of its connections have moved on.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from policy.devices import NOBODY, of_device
from policy.judged import Judged
from policy.services import TCP
from policy.violations import MINUTE_NS, VIOLATION, grouped

LOST: Final = "lost"
ONE_DIRECTION: Final = "one direction"
SILENCE: Final = "silence"

#: Frames that a capture may lose in a minute, as a share: more, and SLA figures of the minute do not count either.
LOST_LIMIT: Final = 0.001
#: Whole minutes without a frame.
LEAST_SILENT: Final = 2
#: Conversations of a minute that show one direction: at least so many, and half of all.
LEAST_ONE_SIDED: Final = 2
#: A connection that was silent for longer is another one: the engine's `tcp_idle_s`, and some.
LONGEST_SILENCE_NS: Final = 90 * MINUTE_NS
#: Interfaces' minutes that are kept: two months of one.
MINUTES_LIMIT: Final = 100_000

_SEEN: Final = {
    "interface_id": pl.UInt16(),
    "minute": pl.Int64(),
    "packets": pl.UInt64(),
    "dropped": pl.UInt64(),
    "unseen": pl.UInt64(),
    "gap_bytes": pl.UInt64(),
}
_SIDES: Final = {
    "minute": pl.Int64(),
    "busy": pl.UInt32(),
    "one_sided": pl.UInt32(),
    "frame": pl.UInt64(),
}


class Sight:
    """What was seen of one capture; grows with its minutes."""

    def __init__(self) -> None:
        self._seen = pl.DataFrame(schema=_SEEN)
        self._sides = pl.DataFrame(schema=_SIDES)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        coverage = judged.traffic.coverage.select(
            "interface_id",
            pl.col("minute").dt.epoch("ns"),
            packets=pl.col("packets") - pl.col("duplicate_packets"),
            dropped="dropped_packets",
            unseen="unseen_segments",
            gap_bytes="gap_bytes",
        )
        if not coverage.is_empty():
            sums = pl.concat([self._seen, coverage]).group_by("interface_id", "minute", maintain_order=True)
            added = sums.agg(pl.col("packets", "dropped", "unseen", "gap_bytes").sum())
            self._seen = added.select(*_SEEN).head(MINUTES_LIMIT)
        flows = judged.traffic.flow_minutes
        if flows.is_empty():
            return
        told = flows.select(
            pl.col("minute").dt.epoch("ns"),
            busy=_is_busy(),
            one_sided=_is_one_sided("c2s", "s2c") | _is_one_sided("s2c", "c2s"),
            frame="first_frame",
        )
        counts = (pl.col("busy").cast(pl.UInt32).sum(), pl.col("one_sided").cast(pl.UInt32).sum())
        told = told.group_by("minute", maintain_order=True).agg(*counts, pl.col("frame").min())
        both = pl.concat([self._sides, told.select(*_SIDES)]).group_by("minute", maintain_order=True)
        self._sides = both.agg(pl.col("busy", "one_sided").sum(), pl.col("frame").min()).head(MINUTES_LIMIT)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before, but for those after which a connection may still go on."""
        kept = pl.col("minute") >= before_ns - LONGEST_SILENCE_NS
        self._seen, self._sides = self._seen.filter(kept), self._sides.filter(kept)

    def violations(self) -> pl.DataFrame:
        """Minutes and stretches of poor sight: columns of VIOLATION, of no conversation."""
        silences = self._silences()
        back = {(one["interface_id"], one["back"]) for one in silences}
        one_sided = self._one_sided()
        of_one_side = {one["minute"] for one in one_sided}
        lost = [
            one
            for one in self._lost()
            if (one["interface_id"], one["minute"]) not in back and one["minute"] not in of_one_side
        ]
        rows = [*silences, *one_sided, *lost]
        if not rows:
            return pl.DataFrame(schema=VIOLATION)
        frames = dict(self._sides.select("minute", "frame").iter_rows())
        made = pl.DataFrame(
            [_row(one, frames.get(one.get("back", one["minute"]), 1)) for one in rows],
            schema_overrides={
                "client_ip": pl.Binary,
                "server_ip": pl.Binary,
                "frame": pl.UInt64,
            },
        )
        return grouped(of_device(made), lambda examples: examples.with_columns(nearest=pl.lit("")))

    def _lost(self) -> list[dict[str, Any]]:
        lost = pl.col("dropped") + pl.col("unseen")
        rows = self._seen.filter(lost > LOST_LIMIT * (pl.col("packets") + lost))
        return [
            {
                **row,
                "what": f"{LOST}: interface {row['interface_id']}",
                "text": f"{row['packets']:,} packets seen; {row['dropped']:,} dropped, as the capture says then; "
                f"{row['unseen']:,} segments acknowledged that never came by",
            }
            for row in rows.sort("minute", "interface_id").iter_rows(named=True)
        ]

    def _one_sided(self) -> list[dict[str, Any]]:
        one_sided, busy = pl.col("one_sided"), pl.col("busy")
        rows = self._sides.filter((one_sided >= LEAST_ONE_SIDED) & (2 * one_sided >= busy))
        return [
            {
                "minute": row["minute"],
                "what": ONE_DIRECTION,
                "text": f"of {row['busy']:,} TCP conversations with payload {row['one_sided']:,} show one direction "
                "and acknowledge what they do not show",
            }
            for row in rows.sort("minute").iter_rows(named=True)
        ]

    def _silences(self) -> list[dict[str, Any]]:
        """Stretches in which one interface shows nothing while others do, and after which bytes are missing."""
        others = self._seen.group_by("minute").agg(
            pl.col("interface_id").filter(pl.col("packets") > 0).alias("busy")
        )
        at_work: dict[int, set[int]] = {minute: set(busy) for minute, busy in others.iter_rows()}
        found = []
        for (interface,), rows in self._seen.sort("minute").group_by("interface_id", maintain_order=True):
            ends = (
                rows.with_columns(before=pl.col("minute").shift(1))
                .filter(pl.col("gap_bytes") > 0)
                .drop_nulls()
            )
            for row in ends.iter_rows(named=True):
                silent = range(row["before"] + MINUTE_NS, row["minute"], MINUTE_NS)
                if len(silent) < LEAST_SILENT or not all(
                    at_work.get(at, set()) - {interface} for at in silent
                ):
                    continue
                found.append(
                    {
                        "interface_id": interface,
                        "minute": silent[0],
                        "back": row["minute"],
                        "what": f"{SILENCE}: interface {interface}",
                        "text": f"no frame for {len(silent)} minutes, while other interfaces went on; then the "
                        f"connections had moved on by {row['gap_bytes']:,} bytes",
                    }
                )
        return found


def _is_busy() -> pl.Expr:
    payload = pl.col("payload_bytes_c2s") + pl.col("payload_bytes_s2c")
    return (pl.col("ip_proto") == TCP) & (payload > 0)


def _is_one_sided(there: str, missing: str) -> pl.Expr:
    """Payload one way, nothing the other way, and acknowledgements of what is missing: a silent peer has none."""
    return (
        _is_busy()
        & (pl.col(f"payload_bytes_{there}") > 0)
        & (pl.col(f"packets_{missing}") == 0)
        & (pl.col(f"unseen_segments_{missing}") > 0)
    )


def _row(one: dict[str, Any], frame: int) -> dict[str, Any]:
    end_ns = one.get("back", one["minute"] + MINUTE_NS)
    return {
        "client_ip": NOBODY,
        "server_ip": NOBODY,
        "client_zone": "",
        "server_zone": "",
        "what": one["what"],
        "operation": "sensor.see",
        "ts_ns": one["minute"],
        "last_ns": end_ns - 1,
        "frame": frame,
        "text": one["text"],
    }
