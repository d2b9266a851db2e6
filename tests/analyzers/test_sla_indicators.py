"""The six indicators: sums over the critical conduits by hand, and what is not measurable says so."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.sla_indicators import NAMES, report_indicators
from analyzers.sla_report_form import Indicator, Scope
from tests.analyzers.test_sla_report import MS, bucket, conduit, polls, report, whole_hour


def of_class(sla_class: str, *rows: dict[str, Any]) -> Scope:
    scope = conduit(*rows)
    return scope.model_copy(update={"target": scope.target.model_copy(update={"sla_class": sla_class})})


def six(*scopes: Scope) -> tuple[Indicator, ...]:
    found = report_indicators(scopes)
    assert [one.number for one in found] == [1, 2, 3, 4, 5, 6]
    assert tuple(one.name for one in found) == NAMES
    return found


def test_critical_availability_is_the_sum_of_the_critical_conduits() -> None:
    # 6,000 polls, 12 bad; and 6,000 good ones: 99.9 %. The conduit of class C4 is all bad, and not critical.
    lossy = of_class("C1", *whole_hour()[:-1], polls(59, 88, 12))
    calm, reports = of_class("C2", *whole_hour()), of_class("C4", polls(0, 0, 100))
    found = six(lossy, calm, reports)[0]
    assert (found.value, found.unit, found.limit) == (99.9, "%", 99.0)
    assert found.made_of == (
        "12,000 slots of 2 conduits of class C1 or C2, 12 bad; within target in 119 of 120 minutes of a conduit "
        "(99.17 %); least budget left 99.97 % (c-poll); "
        f"0 breached, {len(lossy.alerts)} budget alerts"
    )
    assert found.missing == ""


def test_answers_within_their_target_and_the_worst_round_trips_and_loss() -> None:
    times = {
        "transaction_buckets": [bucket(10 * MS), bucket(51 * MS)],
        "transaction_counts": [98, 2],
        "rtt_buckets": [bucket(5 * MS)],
        "rtt_counts": [10],
        "data_segments": 100,
        "lost_segments": 2,
    }
    found = six(of_class("C2", *whole_hour(**times)))[1]
    assert (found.value, found.limit) == (98.0, 99.0)
    assert found.made_of.startswith("share of 6,000 answers within their conduit's target; RTT p95 up to ")
    assert found.made_of.endswith("loss up to 2 % (c-poll)")


def test_quality_is_the_share_of_answers_without_an_exception() -> None:
    row = polls(0, 90, unanswered=4, exceptions=6, transactions=100)
    found = six(of_class("C3", row))[2]
    # 90 of 96 answers; what was never answered has no quality
    assert found.value == 93.75
    assert "not kept by the minute" in found.missing


@pytest.mark.parametrize("number", [4, 5, 6])
def test_what_is_not_in_measured_minutes_has_no_value_and_says_where_it_is(number: int) -> None:
    found = six(of_class("C1", *whole_hour()))[number - 1]
    assert (found.value, found.made_of) == (None, "")
    assert "measured minutes" in found.missing


def test_nothing_measured_is_no_value_and_never_zero() -> None:
    unseen = six(of_class("C1", polls(0, 0)))
    assert [one.value for one in unseen] == [None] * 6
    assert all(one.missing for one in unseen)
    assert six()[0].missing == "no conduit of class C1 or C2 is in the report"


def test_a_critical_conduit_that_is_not_measured_is_named() -> None:
    blind = of_class("C1", polls(0, 0)).model_copy(update={"id": "c-blind"})
    found = six(of_class("C1", *whole_hour()), blind)
    assert [one.missing for one in found[:2]] == ["not measured: c-blind", "nothing was answered in them"]


def test_the_report_carries_all_six() -> None:
    assert [one.number for one in report(*whole_hour()).indicators] == [1, 2, 3, 4, 5, 6]
