"""Mergeable histograms of durations: integer nanoseconds in, buckets and counts out, percentiles from them.

The buckets are those of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019): bucket i holds (γ^(i-1), γ^i] ns with γ = (1+α)/(1-α) and α = 1 %, so a
percentile is within 1 % of a value that was measured. Adding two histograms is adding their counts: the figure
of a conduit, a zone or a month is the same whether it comes from rows, from roll-ups, from Polars or from SQL.

The edges are computed with integers only, so they are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import polars as pl

#: Relative error of a percentile.
ACCURACY: Final = Fraction(1, 100)
_GAMMA: Final = (1 + ACCURACY) / (1 - ACCURACY)
#: The last bucket holds everything above: 2^62 ns is 146 years.
_TOP_NS: Final = 1 << 62


def _edges() -> tuple[int, ...]:
    """The upper edge of every bucket in ns: γ^i in 64 fractional bits, rounded down, repeats left in place."""
    one = 1 << 64
    edges, exact = [], one
    while exact >> 64 < _TOP_NS:
        edges.append(exact >> 64)
        exact = exact * _GAMMA.numerator // _GAMMA.denominator
    return tuple(edges)


EDGES: Final = _edges()
_EDGE_SERIES: Final = pl.Series("edges", EDGES, dtype=pl.UInt64)
#: What a bucket stands for: the value that is at most ACCURACY away from its first and its last whole number.
_MIDDLES: Final = (
    1,
    *(2 * (low + 1) * high // (low + 1 + high) if low < high else high for low, high in pairwise(EDGES)),
    _TOP_NS,
)

_MIDDLE_SERIES: Final = pl.Series("middles", _MIDDLES, dtype=pl.UInt64)


def buckets(durations_ns: pl.Series) -> pl.Series:
    """The bucket of each duration; shape as given, Int16. Zero and one share bucket 0."""
    return _EDGE_SERIES.search_sorted(durations_ns.cast(pl.UInt64), side="left").cast(pl.Int16)


def durations_ns(bucket_series: pl.Series) -> pl.Series:
    """What each bucket stands for: a duration within ACCURACY of all that it holds; shape as given, UInt64."""
    return _MIDDLE_SERIES.gather(bucket_series.cast(pl.UInt32))


def added(bucket_rows: pl.Series, count_rows: pl.Series) -> tuple[list[int], list[int]]:
    """Add histograms: a list of buckets and a list of counts a row in; one pair out, buckets ascending."""
    rows = pl.DataFrame([bucket_rows.alias("bucket"), count_rows.alias("count")])
    total = (
        # Rows without samples go first: an empty list would explode into a null.
        rows.filter(pl.col("bucket").list.len() > 0)
        .explode("bucket", "count")
        .group_by("bucket")
        .agg(pl.col("count").cast(pl.UInt64).sum())
        .sort("bucket")
    )
    return total["bucket"].to_list(), total["count"].to_list()


def samples_in(counts: Sequence[int]) -> int:
    """How many samples the histogram holds."""
    return sum(counts)


def percentile(bucket_row: Sequence[int], counts: Sequence[int], share: float) -> int | None:
    """The duration in ns that `share` (0 to 1) of the samples do not exceed; None without samples.

    Nearest rank (Hyndman and Fan 1996, definition 1) over the buckets, which must ascend.
    """
    total = sum(counts)
    if not total:
        return None
    rank = max(1, -(-int(share * 1_000_000) * total // 1_000_000))
    seen = 0
    for bucket, count in zip(bucket_row, counts, strict=True):
        seen += count
        if seen >= rank:
            return _MIDDLES[bucket]
    return _MIDDLES[bucket_row[-1]]


def samples_within(bucket_row: Sequence[int], counts: Sequence[int], limit_ns: int) -> int:
    """How many samples do not exceed the limit, each taken for what its bucket stands for.

    Agrees with `percentile`: the 99th is within the limit where, and only where, at least 99 % of the samples are.
    """
    return sum(
        count for bucket, count in zip(bucket_row, counts, strict=True) if _MIDDLES[bucket] <= limit_ns
    )
