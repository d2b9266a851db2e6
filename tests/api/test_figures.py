"""Budgets and steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analyzers.sla import Status
from api.figures import Budget, blank, is_measured, point_status, series
from policy.sla_classes import SLA_CLASSES

START = datetime(2026, 3, 3, tzinfo=UTC)
GOOD = replace(
    blank(START, 60),
    packets=100,
    coverage=1.0,
    rtt_p95_ns=4_000_000,
    transactions=60,
    good=60,
    data_segments=100,
    valid=True,
)


def test_what_is_lost_in_a_day_is_taken_from_the_month() -> None:
    # 1 % of 1,440 measured minutes is 14.4 minutes; C2 has 43.2
    budget = Budget(43.2, 14.4, 1440)
    assert budget.left_minutes == pytest.approx(28.8)
    assert budget.left == pytest.approx(2 / 3)
    # at 14.4 minutes a day the rest lasts two days
    assert budget.runs_out_in == timedelta(days=2)


def test_an_overspent_budget_is_empty_not_negative() -> None:
    assert Budget(43.2, 100.0, 1440).left == 0
    assert Budget(43.2, 100.0, 1440).left_minutes == 0


def test_a_budget_of_which_nothing_was_taken_never_runs_out() -> None:
    assert Budget(43.2, 0.0, 1440).runs_out_in is None


@pytest.mark.parametrize(
    ("packets", "coverage", "measured"),
    [(100, 1.0, True), (100, 0.95, True), (100, 0.949, False), (100, None, False), (0, None, False)],
)
def test_a_step_is_judged_from_95_percent_coverage(
    packets: int, coverage: float | None, measured: bool
) -> None:
    point = replace(GOOD, packets=packets, coverage=coverage)
    assert is_measured(point) is measured
    assert (point_status(point, SLA_CLASSES["C2"]) is Status.NO_DATA) is not measured
    assert series([point], "rtt_p95_ns") == [4_000_000 if measured else None]


def test_a_step_without_a_valid_minute_is_not_judged_however_well_it_looks() -> None:
    blind = replace(GOOD, valid=False)
    assert not is_measured(blind)
    assert point_status(blind, SLA_CLASSES["C2"]) is Status.NO_DATA
    assert series([blind], "rtt_p95_ns") == [None]


def test_a_step_over_its_target_is_breached_only_where_it_was_seen() -> None:
    bad = replace(GOOD, good=30)
    assert point_status(bad, SLA_CLASSES["C2"]) is Status.BREACHED
    assert point_status(replace(bad, coverage=0.5), SLA_CLASSES["C2"]) is Status.NO_DATA
