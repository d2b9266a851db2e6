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

import numpy as np
import numpy.typing as npt
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
#: With one for the last bucket, which has no end.
_EDGE_ARRAY: Final = np.array([*EDGES, (1 << 64) - 1], dtype=np.uint64)
#: What a bucket stands for: the value that is at most ACCURACY away from its first and its last whole number.
_MIDDLES: Final = (
    1,
    *(2 * (low + 1) * high // (low + 1 + high) if low < high else high for low, high in pairwise(EDGES)),
    _TOP_NS,
)

_MIDDLE_ARRAY: Final = np.array(_MIDDLES, dtype=np.uint64)

#: The leading bits of a binary64 number are a logarithm: with seven of its fraction a cell is at most 0.8 % wide.
_FRACTION_BITS: Final = 52
_CELL_SHIFT: Final = np.uint64(_FRACTION_BITS - 7)
_FIRST_CELL: Final = np.float64(1).view(np.uint64) >> _CELL_SHIFT
_CELLS: Final = (np.float64(_TOP_NS).view(np.uint64) >> _CELL_SHIFT) - _FIRST_CELL + np.uint64(1)


def _lowest_in_cells() -> npt.NDArray[np.int16]:
    """The bucket of the least whole number in each cell."""
    cells = np.arange(_CELLS, dtype=np.uint64) + _FIRST_CELL
    least = np.ceil((cells << _CELL_SHIFT).view(np.float64)).astype(np.uint64)
    return _EDGE_ARRAY.searchsorted(least, side="left").astype(np.int16)


#: As numbers of places, which need no other type to be looked up with.
_LOWEST_IN_CELL: Final = _lowest_in_cells().astype(np.intp)
#: Signed, as what is compared with them: no time reaches the last.
_EDGES_SIGNED: Final = np.minimum(_EDGE_ARRAY, np.uint64((1 << 63) - 1)).astype(np.int64)


def buckets_of(durations_ns: npt.NDArray[np.uint64]) -> npt.NDArray[np.int16]:
    """The bucket of each duration. Zero and one share bucket 0; what is above all buckets is in the last.

    Edges are 2 % apart, cells less: a cell has two buckets at most, so one comparison decides, where a search among
    all edges takes eleven.
    """
    times = np.minimum(np.maximum(durations_ns, np.uint64(1)), np.uint64(_TOP_NS)).view(np.int64)
    cells = times.astype(np.float64).view(np.int64)
    cells >>= np.int64(_CELL_SHIFT)
    cells -= np.int64(_FIRST_CELL)
    found = _LOWEST_IN_CELL.take(cells)
    found += times > _EDGES_SIGNED.take(found)
    return found.astype(np.int16)


def buckets(durations_ns: pl.Series) -> pl.Series:
    """The bucket of each duration; shape as given, Int16."""
    return pl.Series(durations_ns.name, buckets_of(durations_ns.cast(pl.UInt64).to_numpy()))


def durations_of(buckets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """What each bucket stands for: a duration within ACCURACY of all that it holds, ns."""
    return _MIDDLE_ARRAY[buckets]


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
