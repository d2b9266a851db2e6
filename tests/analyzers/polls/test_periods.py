"""What is a period, and which slot a request belongs to: arithmetic that is checked by hand and by chance."""

from __future__ import annotations

import random
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.polls.periods import SHORTEST_NS, WINDOW, period_of, periods, slots_between

SECOND = 1_000_000_000


def times(*intervals_ns: int) -> list[int]:
    return list(accumulate(intervals_ns, initial=0))


@given(
    period=st.integers(2 * SHORTEST_NS, 3_600 * SECOND),
    jitter=st.lists(st.floats(-0.05, 0.05), min_size=WINDOW, max_size=WINDOW),
    start=st.integers(0, 2**61),
)
def test_a_period_is_learned_within_its_jitter(period: int, jitter: list[float], start: int) -> None:
    asked = [start + number * period + round(part * period) for number, part in enumerate(jitter)]
    # An interval lies between two jittered moments: it is off by twice as much, and so may the median be.
    assert abs(period_of(asked) - period) <= 0.1 * period + 2


@pytest.mark.parametrize(
    ("what", "intervals_s"),
    [
        ("one answer lost", (2, 2, 4, 2, 2, 2, 2, 2)),
        ("two answers lost in a row", (2, 2, 2, 6, 2, 2, 2, 2)),
        ("one reconnection", (2, 2, 2, 2.1, 1.9, 2, 2, 2)),
        ("one stray request of somebody else", (2, 2, 2, 2, 0.35, 1.65, 2, 2)),
        ("an outage in the midst of it", (2, 2, 2, 2, 71.3, 2, 2, 2)),
    ],
)
def test_one_accident_does_not_hide_a_period(what: str, intervals_s: tuple[float, ...]) -> None:
    assert period_of(times(*(round(one * SECOND) for one in intervals_s))) == 2 * SECOND, what


@pytest.mark.parametrize(
    ("what", "intervals_s"),
    [
        ("two pollers in turns, 2 s and 5 s", (0.35, 1.65, 2, 1.35, 0.65, 2, 2, 0.35)),
        ("a person who looks now and then", (12, 3, 44, 7, 120, 9, 31, 2)),
        ("growing pauses", (1, 2, 4, 8, 16, 32, 64, 128)),
        ("bursts of retries", (0.5, 0.5, 30, 0.5, 0.5, 30, 0.5, 0.5)),
        ("all at once", (0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_what_is_not_regular_has_no_period(what: str, intervals_s: tuple[float, ...]) -> None:
    assert period_of(times(*(round(one * SECOND) for one in intervals_s))) == 0, what


def test_random_requests_are_hardly_ever_a_poll() -> None:
    # Exponential intervals, as of many independent people: the memoryless worst case.
    chance = random.Random(20_261_122)
    asked = times(*(round(chance.expovariate(1.0) * SECOND) for _ in range(20_000)))
    assert np.count_nonzero(periods(np.array(asked))) < 20_000 // 200


def test_too_few_requests_have_no_period() -> None:
    assert len(periods(np.arange(WINDOW - 1, dtype=np.int64) * SECOND)) == 0


@given(
    period=st.integers(1_000, 10**14),
    slots=st.integers(-1_000, 1_000),
    part=st.integers(-499, 499),
    at=st.integers(0, 2**60),
)
def test_a_request_belongs_to_the_slot_that_is_nearest(period: int, slots: int, part: int, at: int) -> None:
    assert slots_between(at, at + slots * period + part * period // 1_000, period) == slots


def test_half_a_period_late_is_the_next_slot() -> None:
    assert [slots_between(0, late, 1_000) for late in (0, 499, 500, 1_499, 1_500)] == [0, 0, 1, 1, 2]
