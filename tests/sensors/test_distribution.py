"""Quantiles of durations: exact while there are few, close afterwards."""

from __future__ import annotations

import random
import statistics

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors import distribution
from sensors.distribution import Distribution

DURATIONS = st.lists(st.integers(min_value=0, max_value=2**50), min_size=2, max_size=200)


def seconds(durations: list[int], pieces: int = 1) -> dict[str, int | float | None]:
    counted = Distribution()
    for start in range(pieces):
        counted.add(pl.Series(durations[start::pieces], dtype=pl.UInt64))
    return counted.seconds()


def test_nothing_counted_has_no_quantiles() -> None:
    assert Distribution().seconds() == {"n": 0, "min": None, "median": None, "p95": None, "max": None}


def test_one_duration_is_every_quantile() -> None:
    assert seconds([1_500]) == {"n": 1, "min": 1.5e-06, "median": 1.5e-06, "p95": 1.5e-06, "max": 1.5e-06}


@given(DURATIONS)
def test_quantiles_are_those_of_the_standard_library(durations: list[int]) -> None:
    found = seconds(durations)
    assert found["n"] == len(durations)
    assert found["median"] == pytest.approx(statistics.median(durations) / 1e9, abs=1e-9, rel=1e-12)
    p95 = statistics.quantiles(durations, n=20, method="inclusive")[-1]
    assert found["p95"] == pytest.approx(p95 / 1e9, abs=1e-9, rel=1e-12)
    assert (found["min"], found["max"]) == (round(min(durations) / 1e9, 9), round(max(durations) / 1e9, 9))


@given(DURATIONS, st.integers(min_value=1, max_value=5))
def test_the_pieces_that_durations_come_in_do_not_matter(durations: list[int], pieces: int) -> None:
    assert seconds(durations, pieces) == seconds(durations)


def test_many_distinct_durations_are_rounded_down_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    durations = sorted(chance.randrange(10_000, 10_000_000) for _ in range(50_000))
    exact = seconds(durations)
    monkeypatch.setattr(distribution, "DISTINCT_LIMIT", 1_000)
    counted = Distribution()
    for start in range(0, len(durations), 500):
        counted.add(pl.Series(durations[start : start + 500], dtype=pl.UInt64))
    rounded = counted.seconds()
    assert counted.rounded
    assert rounded["n"] == exact["n"] == 50_000
    for name in ("min", "median", "p95", "max"):
        value, expected = rounded[name], exact[name]
        assert value is not None
        assert expected is not None
        assert expected * (1 - 0.0005) <= value <= expected


def test_few_distinct_durations_stay_exact_however_many_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "DISTINCT_LIMIT", 10)
    counted = Distribution()
    for _ in range(100):
        counted.add(pl.Series([1_234_567, 7_654_321] * 50, dtype=pl.UInt64))
    assert not counted.rounded
    assert counted.seconds() == {
        "n": 10_000,
        "min": 0.001234567,
        "median": 0.004444444,
        "p95": 0.007654321,
        "max": 0.007654321,
    }
