"""Error budgets: exact, additive, and the same verdict as the percentiles they stand for."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers import sketch
from analyzers.budget import WITHIN_TARGET, Budget, Slots, burn_rate, exact
from policy.sla_classes import SLA_CLASSES

SLOTS = st.builds(
    lambda valid, bad: Slots(valid, min(valid, bad)), st.integers(0, 10**9), st.integers(0, 10**9)
)
TARGETS = st.sampled_from([exact(target.availability) for target in SLA_CLASSES.values()])


def test_the_classes_budgets_of_30_days_are_those_of_the_operating_model() -> None:
    # 4.3 min, 43 min, 3.6 h, 7.2 h of 43,200 minutes
    allowed = {
        name: Budget(exact(target.availability), Slots(), 43_200, 0).allowed_minutes
        for name, target in SLA_CLASSES.items()
    }
    assert allowed == {"C1": Fraction(432, 100), "C2": Fraction(432, 10), "C3": 216, "C4": 432}


def test_a_budget_by_hand() -> None:
    # C2 over 30 days: 1,000 slots a minute for 100 minutes, 20 bad of the 100 that 99.9 % allows
    budget = Budget(Fraction(999, 1000), Slots(100_000, 20), 43_200, 100)
    assert budget.allowed == 100
    assert budget.spent == 20
    assert budget.left == 80
    assert budget.burn == Fraction(1, 5)
    assert budget.spent_minutes == Fraction(2, 100)  # 0.02 % of 100 minutes
    assert budget.left_minutes == Fraction(4318, 100)
    assert budget.left_share == Fraction(4318, 4320)
    assert budget.lasts_minutes == 215_900  # at 0.0002 minutes a minute


def test_an_overspent_budget_is_below_zero_and_lasts_no_longer() -> None:
    budget = Budget(Fraction(9, 10), Slots(10, 10), 60, 30)
    assert budget.left == -9
    assert budget.left_minutes == -24
    assert budget.burn == 10
    assert budget.left_share == -4
    assert budget.lasts_minutes == 0


def test_nothing_judged_is_no_budget_left_and_not_all_of_it() -> None:
    budget = Budget(Fraction(99, 100), Slots(), 43_200, 0)
    assert (budget.burn, budget.left_share, budget.lasts_minutes) == (None, None, None)


def test_a_share_is_exact_as_it_was_written() -> None:
    assert exact(0.9999) == Fraction(9999, 10000)
    assert exact(1e-05) == Fraction(1, 100_000)


@pytest.mark.parametrize("target", [Fraction(0), Fraction(1), Fraction(3, 2)])
def test_a_target_that_no_rate_can_spend_is_refused(target: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1"):
        burn_rate(Slots(1, 1), target)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        Budget(target, Slots(), 1, 0)


@pytest.mark.parametrize(("valid", "bad"), [(0, 1), (5, 6), (5, -1)])
def test_impossible_counts_are_refused(valid: int, bad: int) -> None:
    with pytest.raises(ValueError, match="slots"):
        Slots(valid, bad)


@given(st.lists(SLOTS), st.randoms(use_true_random=False), TARGETS)
def test_parts_in_any_order_are_the_whole(parts: list[Slots], chance: object, target: Fraction) -> None:
    total = sum(parts, Slots())
    shuffled = list(parts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    cut = len(parts) // 2
    halves = sum(shuffled[:cut], Slots()) + sum(shuffled[cut:], Slots())
    assert halves == total
    spent = [Budget(target, part, 43_200, 1) for part in parts]
    whole = Budget(target, total, 43_200, len(parts))
    assert sum(budget.left for budget in spent) == whole.left
    assert sum(budget.allowed for budget in spent) == whole.allowed


@given(SLOTS, TARGETS)
def test_the_target_is_missed_where_more_than_the_budget_is_spent(slots: Slots, target: Fraction) -> None:
    burn, share = burn_rate(slots, target), slots.good_share
    if burn is None or share is None:
        assert slots.valid == 0
    else:
        assert (burn > 1) == (share < target) == (Budget(target, slots, 1, 1).left < 0)
        assert burn == Fraction(slots.bad, slots.valid) / (1 - target)


@given(SLOTS, TARGETS, st.integers(1, 45_000), st.integers(0, 45_000))
def test_minutes_never_come_from_nowhere(slots: Slots, target: Fraction, period: int, seen: int) -> None:
    budget = Budget(target, slots, period, min(seen, period))
    assert budget.allowed_minutes == budget.spent_minutes + budget.left_minutes
    assert 0 <= budget.spent_minutes <= min(seen, period)
    if budget.left_share is not None:
        assert budget.left_share <= 1


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=300), st.integers(1, 10**10))
def test_the_time_budget_is_overspent_where_the_99th_percentile_misses(
    durations_ns: list[int], target_ns: int
) -> None:
    buckets = sketch.buckets(pl.Series(durations_ns, dtype=pl.UInt64))
    counted = buckets.value_counts().sort(buckets.name)
    numbers, counts = counted[buckets.name].to_list(), counted["count"].to_list()
    within = sketch.samples_within(numbers, counts, target_ns)
    slots = Slots(len(durations_ns), len(durations_ns) - within)
    p99 = sketch.percentile(numbers, counts, 0.99)
    burn = burn_rate(slots, WITHIN_TARGET)
    assert p99 is not None
    assert burn is not None
    assert (burn > 1) == (p99 > target_ns)
