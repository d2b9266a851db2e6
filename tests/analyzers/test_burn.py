"""Burn-rate alerts: both windows, few slots and poor coverage stay silent; three in a row are told at once."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.budget import Slots, burn_rate
from analyzers.burn import RULES, MinuteSlots, SlidingSlots, burn_alerts, least_run, worst_burn

C2 = Fraction(999, 1000)
C1 = Fraction(9999, 10000)


def steady(minutes: range, valid: int, bad: int = 0) -> list[MinuteSlots]:
    return [MinuteSlots(minute, Slots(valid, bad)) for minute in minutes]


def rules(rows: list[MinuteSlots], target: Fraction = C2, *, at_once: bool = False) -> set[str]:
    return {alert.rule for alert in burn_alerts(rows, target, at_once=at_once)}


def test_no_bad_slot_is_no_alert() -> None:
    assert burn_alerts(steady(range(10_000), 100), C2, at_once=True) == []


def test_an_outage_of_minutes_pages_within_minutes_and_ends_with_it() -> None:
    # 1,000 slots a minute; all of them bad from minute 120 to 129. Over 1 h, 14.4 times the budget is 864 bad slots:
    # the first bad minute is enough. The short window has forgotten five minutes after the last one.
    rows = steady(range(120), 1000) + steady(range(120, 130), 1000, 1000) + steady(range(130, 240), 1000)
    (page,) = (alert for alert in burn_alerts(rows, C2, at_once=False) if alert.rule == "burn-1h")
    assert (page.kind, page.first_minute, page.last_minute) == ("page", 120, 133)
    assert page.peak == Fraction(10, 60) / Fraction(1, 1000)


@pytest.mark.parametrize(
    ("bad", "spoken"),
    [
        # of 1,000 a minute: 1 bad spends exactly the budget of 99.9 %, which is not above it
        (1, set()),
        (2, {"burn-3d"}),
        (6, {"burn-3d"}),
        (7, {"burn-3d", "burn-6h"}),
        (14, {"burn-3d", "burn-6h"}),
        (15, {"burn-3d", "burn-6h", "burn-1h"}),
    ],
)
def test_a_steady_burn_speaks_by_its_rate(bad: int, spoken: set[str]) -> None:
    assert rules(steady(range(3 * 24 * 60), 1000, bad)) == spoken


def test_one_miss_of_a_slow_poll_wakes_nobody_and_neither_do_two() -> None:
    # every 10 s at 99.99 %: one miss an hour is 28 times the budget
    for misses in (1, 2):
        rows = [*steady(range(60), 6), MinuteSlots(60, Slots(6, misses)), *steady(range(61, 120), 6)]
        assert rules(rows, C1) == set()
    rows = [*steady(range(60), 6), MinuteSlots(60, Slots(6, 3)), *steady(range(61, 120), 6)]
    assert "burn-1h" in rules(rows, C1)


def test_too_few_slots_say_nothing() -> None:
    assert rules(steady(range(9), 11, 11)) == set()  # 99 slots, all bad
    assert "burn-1h" in rules([*steady(range(9), 11, 11), MinuteSlots(9, Slots(1, 1))])


@pytest.mark.parametrize(("blind", "speaks"), [(3, True), (4, False)])
def test_a_blind_capture_pages_nobody(blind: int, speaks: bool) -> None:
    # of 60 minutes 57 may be judged: 95 %; with 56 it is less
    rows = steady(range(30), 1000)
    rows += [MinuteSlots(minute, Slots(), valid=False) for minute in range(30, 30 + blind)]
    rows += steady(range(30 + blind, 55), 1000) + steady(range(55, 60), 1000, 500)
    assert ("burn-1h" in rules(rows)) == speaks


def test_what_has_ended_is_not_told_by_the_long_window_alone() -> None:
    # Much was bad an hour ago, nothing since six minutes.
    rows = steady(range(10), 1000, 500) + steady(range(10, 60), 1000)
    last = {alert.rule: alert.last_minute for alert in burn_alerts(rows, C2, at_once=False)}
    assert last["burn-1h"] == 9 + 4
    assert last["burn-6h"] == 9 + 29


def test_three_in_a_row_are_told_at_once_where_that_is_asked_for() -> None:
    rows = [
        MinuteSlots(7, Slots(6, 3), run=2),
        MinuteSlots(8, Slots(6, 3), run=3),
        MinuteSlots(9, Slots(6, 5), run=4),
    ]
    (alert,) = burn_alerts(rows, C1, at_once=True)
    assert (alert.rule, alert.kind) == ("in-a-row", "page")
    assert (alert.first_minute, alert.last_minute) == (8, 9)
    assert alert.peak == 4
    assert burn_alerts(rows, C1, at_once=False) == []


@given(st.lists(st.booleans(), max_size=40))
def test_the_run_that_counts_prove_is_never_longer_than_the_real_one(outcomes: list[bool]) -> None:
    real = max((len(list(run)) for good, run in groupby(outcomes) if not good), default=0)
    assert least_run(len(outcomes), outcomes.count(False)) <= real


@given(st.integers(0, 200), st.integers(0, 200))
def test_and_no_shorter_than_good_slots_can_make_it(good: int, bad: int) -> None:
    # The best that good slots can do is to stand evenly between the bad ones.
    gaps = [bad // (good + 1) + (1 if place < bad % (good + 1) else 0) for place in range(good + 1)]
    assert sum(gaps) == bad
    assert least_run(good + bad, bad) == max(gaps)


MINUTES = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 400), st.integers(0, 400), st.booleans()),
    unique_by=lambda row: row[0],
    max_size=60,
)


def made(rows: list[tuple[int, int, int, bool]]) -> list[MinuteSlots]:
    return [
        MinuteSlots(minute, Slots(valid, min(bad, valid)) if fit else Slots(), fit)
        for minute, valid, bad, fit in rows
    ]


@settings(max_examples=20, deadline=None)
@given(MINUTES, st.randoms(use_true_random=False), st.sampled_from([C1, C2, Fraction(99, 100)]))
def test_alerts_are_what_the_rules_say_minute_by_minute(
    drawn: list[tuple[int, int, int, bool]], chance: object, target: Fraction
) -> None:
    rows = made(drawn)
    by_minute = {row.minute: row for row in rows}
    expected = set()
    for rule in RULES:
        for at in range(1200):
            long, short = (
                [by_minute[m] for m in range(at - length + 1, at + 1) if m in by_minute]
                for length in (min(rule.long, at + 1), min(rule.short, at + 1))
            )
            total = sum((row.slots for row in long), Slots())
            if total.bad < 3 or total.valid < 100 or sum(row.valid for row in long) * 100 < len(long) * 95:
                continue
            rates = [burn_rate(sum((row.slots for row in part), Slots()), target) for part in (long, short)]
            if all(rate is not None and rate > rule.factor for rate in rates):
                expected.add((rule.name, at))
    chance.shuffle(rows)  # type: ignore[attr-defined]
    alerts = burn_alerts(rows, target, at_once=False)
    found = {(a.rule, minute) for a in alerts for minute in range(a.first_minute, a.last_minute + 1)}
    assert found == expected


@given(MINUTES, st.integers(-10, 510), st.integers(0, 500))
def test_sums_over_any_stretch_are_those_of_its_minutes(
    drawn: list[tuple[int, int, int, bool]], after: int, length: int
) -> None:
    rows = sorted(made(drawn), key=lambda row: row.minute)
    inside = [row for row in rows if after < row.minute <= after + length]
    sums = SlidingSlots(rows)
    assert sums.slots(after, after + length) == sum((row.slots for row in inside), Slots())
    coverage = sums.coverage(after, after + length)
    assert coverage == (Fraction(sum(row.valid for row in inside), len(inside)) if inside else None)


@given(MINUTES, st.integers(1, 500))
def test_the_worst_window_is_the_worst_of_all(drawn: list[tuple[int, int, int, bool]], window: int) -> None:
    rows = sorted(made(drawn), key=lambda row: row.minute)
    sums = SlidingSlots(rows)
    rates = [burn_rate(sums.slots(row.minute - window, row.minute), C2) for row in rows]
    assert worst_burn(rows, C2, window) == max((rate for rate in rates if rate is not None), default=None)


def test_the_worst_hour() -> None:
    rows = steady(range(60), 100) + steady(range(60, 120), 100, 5) + steady(range(120, 180), 100, 1)
    assert worst_burn(rows, C2, 60) == Fraction(5, 100) * 1000
    assert worst_burn([], C2, 60) is None


def test_each_minute_comes_once() -> None:
    with pytest.raises(ValueError, match="each once"):
        burn_alerts(steady(range(2), 5) + steady(range(1), 5), C2, at_once=False)
    with pytest.raises(ValueError, match="no slots"):
        MinuteSlots(1, Slots(3, 1), valid=False)
