"""Stretches of minutes: the same count as a set of them has, in the room of the holes, or less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy.minutes import Minutes

MINUTES = st.lists(st.integers(0, 40))


def minutes(numbers: list[int]) -> Minutes:
    made = Minutes()
    for number in numbers:
        made.add(number)
    return made


def holes(numbers: set[int]) -> int:
    """Holes between the numbers."""
    return sum(number + 1 not in numbers for number in numbers) - 1


@given(MINUTES)
def test_counts_what_a_set_counts_in_the_room_of_the_holes(numbers: list[int]) -> None:
    made = minutes(numbers)
    assert made.count == len(set(numbers))
    assert made.last == (max(numbers) if numbers else None)
    assert made.stretches == (holes(set(numbers)) + 1 if numbers else 0)


@given(MINUTES, st.integers(0, 50), st.lists(st.integers(20, 60)))
def test_what_is_long_ago_counts_and_takes_no_room(some: list[int], since: int, later: list[int]) -> None:
    made = minutes(some)
    made.settle(since)
    recent = {number for number in some if number >= since}
    assert made.stretches == (holes(recent) + 1 if recent else 0)
    for number in later:
        made.add(number)
    assert made.count == len({*some, *(number for number in later if number >= since)})
