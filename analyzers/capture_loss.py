"""What the capture itself lost: rows of `coverage` in, the minutes that must not be judged out.

Packets that were dropped before the capture, and segments acknowledged but never seen. A capture says how many it
dropped since it last said so, often only once, at its end: when, nobody knows. So the drops are shared, by packets
read, among all minutes since the interface's last report. Reports of no drops are not in the wire tables: where
one came between, the minutes before it read too poor.
"""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from analyzers.heaps import Sum

#: A minute of which the capture lost more than this is invalid, for every scope: neither good nor bad.
#: Who lost an answer to a full SPAN port cannot tell a silent device from a blind sensor.
CAPTURE_LOSS_LIMIT: Final = 0.001

_SCHEMA: Final[dict[str, pl.DataType]] = {
    "interface_id": pl.UInt16(),
    "minute": pl.Datetime("ns", "UTC"),
    "packets": pl.UInt64(),
    "dropped": pl.UInt64(),
    "unseen": pl.UInt64(),
}

#: What is read of the wire table.
_READ: Final = [
    *("interface_id", "minute", "packets", "duplicate_packets", "dropped_packets", "unseen_segments"),
]


def _added(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("interface_id", "minute").agg(pl.col("packets", "dropped", "unseen").sum())


class CaptureLoss:
    """Packets read, dropped and never seen, by interface and minute; grows with the capture's minutes."""

    def __init__(self) -> None:
        self._sum = Sum(_added)

    def feed(self, coverage: pa.RecordBatch) -> None:
        """Add rows of the wire table `coverage`, in any cut and order. SPAN duplicates are no packets read."""
        rows = pl.DataFrame(coverage.select(_READ))
        self._sum.add(
            rows.select(
                "interface_id",
                "minute",
                packets=rows["packets"] - rows["duplicate_packets"],
                dropped="dropped_packets",
                unseen="unseen_segments",
            )
        )

    def invalid_minutes(self) -> pl.DataFrame:
        """The minutes of which the capture lost too much: `minute`, `valid` (all False)."""
        wire = pl.col("packets") + pl.col("lost")
        return (
            self._by_minute()
            .filter(pl.col("lost") > CAPTURE_LOSS_LIMIT * wire)
            .select("minute", valid=pl.lit(value=False))
        )

    def forget(self, before_ns: int) -> None:
        """Nobody asks for the minutes before any more. They still have their share of drops that are told later."""
        minute, old = pl.col("minute"), pl.col("minute").dt.epoch("ns") < before_ns
        told = minute.filter(old & (pl.col("dropped") > 0)).max().over("interface_id")
        rows = self._rows().filter(~old | told.is_null() | (minute > told))
        # As one minute: what they hold counts, not when.
        latest = minute.filter(old).max().over("interface_id")
        self._sum = Sum(_added)
        self._sum.add(rows.with_columns(pl.when(old).then(latest).otherwise(minute).alias("minute")))

    def held(self) -> tuple[int, int]:
        """Minutes in which a packet was read; minutes from the first to the last of these, both included."""
        minutes = self._rows().filter(pl.col("packets") > 0)["minute"].unique().sort().dt.epoch("s").to_list()
        return len(minutes), (minutes[-1] - minutes[0]) // 60 + 1 if minutes else 0

    def share(self, minutes: pl.Series) -> float | None:
        """Share of the packets that the capture lost in these minutes, 0 to 1; None without any."""
        lost, read = (
            self._by_minute()
            .filter(pl.col("minute").is_in(minutes.unique().to_list()))
            .select(pl.col("lost").sum(), pl.col("packets").sum())
            .row(0)
        )
        return float(lost / (lost + read)) if lost + read else None

    def _rows(self) -> pl.DataFrame:
        total = self._sum.total()
        return pl.DataFrame(schema=_SCHEMA) if total is None else total

    def _by_minute(self) -> pl.DataFrame:
        """Packets read and lost, by minute."""
        # Later rows first: a report of drops opens the stretch of minutes that it speaks of.
        rows = (
            self._rows()
            .sort("interface_id", "minute", descending=True)
            .with_columns(stretch=(pl.col("dropped") > 0).cum_sum().over("interface_id"))
        )
        read, dropped = (
            pl.col(name).sum().over("interface_id", "stretch") for name in ("packets", "dropped")
        )
        shared = pl.when(read > 0).then(dropped * pl.col("packets") / read).otherwise(pl.col("dropped"))
        return (
            rows.with_columns(lost=shared + pl.col("unseen"))
            # In order: sums of fractions depend on it in their last digit.
            .group_by("minute", maintain_order=True)
            .agg(pl.col("packets", "lost").sum())
        )
