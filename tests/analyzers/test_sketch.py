from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import sketch

durations = st.lists(st.integers(200, 10**13), min_size=1, max_size=200)


def _histogram(values: list[int]) -> tuple[list[int], list[int]]:
    counts: dict[int, int] = {}
    for bucket in sketch.buckets(pl.Series(values, dtype=pl.UInt64)):
        counts[bucket] = counts.get(bucket, 0) + 1
    ordered = sorted(counts)
    return ordered, [counts[b] for b in ordered]


@settings(deadline=None)
@given(durations, st.sampled_from([0.0, 0.05, 0.5, 0.95, 0.99, 0.999, 1.0]))
def test_percentile_is_within_one_percent_of_the_nearest_rank(values: list[int], share: float) -> None:
    rank = max(1, -(-round(share * 1_000_000) * len(values) // 1_000_000))
    exact = sorted(values)[rank - 1]
    found = sketch.percentile(*_histogram(values), share)
    assert found is not None
    assert abs(found - exact) <= 0.0101 * exact + 1


@settings(deadline=None)
@given(durations, durations)
def test_merged_histograms_are_the_histogram_of_all_samples(left: list[int], right: list[int]) -> None:
    rows = [_histogram(left), ([], []), _histogram(right)]
    buckets = pl.Series([row[0] for row in rows], dtype=pl.List(pl.Int16))
    counts = pl.Series([row[1] for row in rows], dtype=pl.List(pl.UInt32))
    assert sketch.added(buckets, counts) == _histogram(left + right)


@settings(deadline=None)
@given(durations)
def test_no_sample_is_lost(values: list[int]) -> None:
    assert sketch.samples_in(_histogram(values)[1]) == len(values)


def test_percentile_of_nothing_is_not_measured() -> None:
    assert sketch.percentile([], [], 0.5) is None


def test_durations_beyond_the_last_edge_stay_in_the_last_bucket() -> None:
    buckets, counts = _histogram([2**63, 2**64 - 1])
    assert counts == [2]
    assert sketch.percentile(buckets, counts, 0.5) == 1 << 62


def test_edges_are_whole_numbers_that_never_shrink_and_grow_by_two_percent() -> None:
    large = [edge for edge in sketch.EDGES if edge > 10**6]
    assert all(1.0201 < after / before < 1.0203 for before, after in pairwise(large))
    assert list(sketch.EDGES) == sorted(sketch.EDGES)


def test_buckets_are_those_of_a_search_among_the_edges() -> None:
    """Around every edge, around every power of two, at both ends: the search is Python's own, over integers."""
    around = [
        edge + step for edge in (*sketch.EDGES, *(1 << bit for bit in range(64))) for step in (-1, 0, 1)
    ]
    durations_ns = [0, *around, (1 << 64) - 1]

    found = sketch.buckets(pl.Series(durations_ns, dtype=pl.UInt64)).to_list()

    assert found == [bisect_left(sketch.EDGES, duration_ns) for duration_ns in durations_ns]
