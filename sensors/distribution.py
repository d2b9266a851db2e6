"""Durations in, their minimum, median, 95th percentile and maximum out, in bounded memory."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Distinct values kept before they are rounded; a capture with microsecond times seldom has as many.
DISTINCT_LIMIT: Final = 1 << 18

#: Significant bits kept when values are rounded: an error below 0.05 %.
_KEPT_BITS: Final = 11

_EMPTY: Final = pl.DataFrame(schema={"ns": pl.UInt64, "n": pl.UInt64})


class Distribution:
    """How often each duration came up: exact while there are few distinct ones, then rounded (`rounded`)."""

    def __init__(self) -> None:
        self._counts = _EMPTY
        self.rounded = False

    def add(self, ns: pl.Series) -> None:
        """Count some durations, in ns."""
        counts = (
            pl.DataFrame({"ns": ns.cast(pl.UInt64)}).group_by("ns").agg(pl.len().cast(pl.UInt64).alias("n"))
        )
        self._counts = _merged(pl.concat([self._counts, counts]))
        if self._counts.height > DISTINCT_LIMIT:
            self._counts = _merged(self._counts.with_columns(rounded("ns")))
            self.rounded = True

    def seconds(self) -> dict[str, int | float | None]:
        """`n`, `min`, `median`, `p95` and `max` in seconds; None where nothing was counted."""
        return summarised(self._counts)


def rounded(column: str) -> pl.Expr:
    """The column's durations with `_KEPT_BITS` significant bits, lowest bits cut: never reads high."""
    ns = pl.col(column)
    lowest_kept = (ns.cast(pl.Float64).clip(1).log(2).floor().cast(pl.Int64) - _KEPT_BITS).clip(0)
    step = pl.lit(2, pl.UInt64).pow(lowest_kept.cast(pl.UInt32))
    return (ns // step * step).alias(column)


def summarised(counts: pl.DataFrame) -> dict[str, int | float | None]:
    """`n`, `min`, `median`, `p95` and `max` in seconds of counted durations (columns `ns`, `n`).

    Quantiles are interpolated linearly between the two nearest ranks (Hyndman and Fan's type 7).
    """
    ordered = counts.sort("ns")
    ranks = ordered["n"].cum_sum()
    total = int(ordered["n"].sum())
    return {"n": total} | {
        name: _quantile(ordered["ns"], ranks, total, share)
        for name, share in (("min", 0.0), ("median", 0.5), ("p95", 0.95), ("max", 1.0))
    }


def _quantile(ns: pl.Series, ranks: pl.Series, total: int, share: float) -> float | None:
    if not total:
        return None
    position = (total - 1) * share
    lower = int(position)
    # The value of rank r (from 0) is the first one whose cumulated count exceeds r.
    low = int(ns[int(ranks.search_sorted(lower, side="right"))])
    high = int(ns[int(ranks.search_sorted(min(lower + 1, total - 1), side="right"))])
    return round((low + (high - low) * (position - lower)) / 1e9, 9)


def _merged(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.group_by("ns").agg(pl.col("n").sum())
