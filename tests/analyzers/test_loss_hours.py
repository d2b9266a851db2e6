"""Hours that lose too much: the same whether their minutes come at once or one after the other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.loss_hours import LossHours, LossyHour, Sent

#: Minutes up to the next one, segments lost of a thousand.
COURSES = st.lists(st.tuples(st.integers(1, 50), st.sampled_from([0, 0, 1, 2, 9])), max_size=60)


def rows_of(drawn: list[tuple[int, int]]) -> list[Sent]:
    rows, at = [], 0
    for gap, lost in drawn:
        at += gap
        rows.append((at, lost, 1_000))
    return rows


@settings(deadline=None)
@given(COURSES)
def test_one_by_one_they_are_those_of_all_at_once(drawn: list[tuple[int, int]]) -> None:
    rows, whole, live = rows_of(drawn), LossHours(0.001), LossHours(0.001)
    whole.put(0, rows)
    for row in rows:
        live.put(row[0], [row])
        live.settle(row[0], -1)
    assert live.hours() == whole.hours()


def test_loss_that_goes_on_is_one_finding_an_hour() -> None:
    hours = LossHours(0.001)
    for minute in range(10 * 60):
        hours.put(minute, [(minute, 5, 1_000)])
        hours.settle(minute, -1)
    assert hours.hours() == [LossyHour(first, first + 59, 300, 60_000) for first in range(0, 600, 60)]


def test_what_the_target_or_chance_explains_is_none() -> None:
    hours = LossHours(0.001)
    hours.put(0, [(minute, 1, 1_000) for minute in range(60)])
    assert hours.hours() == []
    # Three where one is allowed: chance does as much one hour in twelve.
    hours.put(0, [(0, 3, 1_000)])
    assert hours.hours() == []
    hours.put(0, [(0, 9, 1_000)])
    assert hours.hours() == [LossyHour(0, 0, 9, 1_000)]


def test_where_no_loss_is_allowed_one_segment_is_too_many() -> None:
    hours = LossHours(0.0)
    hours.put(7, [(7, 1, 1_000)])
    assert hours.hours() == [LossyHour(7, 7, 1, 1_000)]


def test_what_is_over_is_forgotten() -> None:
    hours = LossHours(0.001)
    hours.put(0, [(0, 50, 1_000)])
    hours.settle(60, 0)
    assert hours.hours() == [LossyHour(0, 0, 50, 1_000)]
    hours.settle(61, 1)
    assert hours.hours() == []
