"""The verdict over a scope: not measured is never green, and budgets decide before diagnoses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from analyzers.sla import Held, Status, judge
from policy.sla_classes import SlaTarget

TARGET = SlaTarget(
    sla_id="s-c2",
    sla_class="C2",
    availability=0.999,
    rtt_p95_ns=50_000_000,
    rtt_p99_ns=100_000_000,
    transaction_p99_ns=500_000_000,
    loss=0.001,
    deadline_ns=1_000_000_000,
)


@dataclass(frozen=True)
class Measured:
    rtt_p95_ns: int | None = 10_000_000
    rtt_p99_ns: int | None = 20_000_000
    transaction_p99_ns: int | None = 100_000_000
    loss: float | None = 0.0
    availability: float | None = 1.0


GOOD = Measured()


def test_everything_within_target_is_met_with_the_whole_budget_left() -> None:
    verdict = judge(TARGET, GOOD, 60, 60)
    assert verdict.status is Status.MET
    assert verdict.reasons == ()
    assert verdict.budget_left == 1


def test_no_packet_is_no_data() -> None:
    assert judge(TARGET, GOOD, 0, 0).status is Status.NO_DATA


def test_nothing_measured_is_no_data_not_met() -> None:
    nothing = Measured(None, None, None, None, None)
    assert judge(TARGET, nothing, 60, 60).status is Status.NO_DATA


@pytest.mark.parametrize(("valid", "status"), [(57, Status.MET), (56, Status.NO_DATA), (0, Status.NO_DATA)])
def test_less_than_95_percent_of_valid_minutes_is_no_data(valid: int, status: Status) -> None:
    assert judge(TARGET, GOOD, 60, valid).status is status


@pytest.mark.parametrize(
    ("availability", "status", "left"),
    [
        (0.9995, Status.MET, 0.5),
        (0.9991, Status.AT_RISK, 0.1),
        (0.998, Status.BREACHED, -1.0),
    ],
)
def test_availability_spends_the_budget(availability: float, status: Status, left: float) -> None:
    verdict = judge(TARGET, replace(GOOD, availability=availability), 60, 60)
    assert verdict.status is status
    assert verdict.budget_left == pytest.approx(left)
    assert any("availability" in reason for reason in verdict.reasons) == (status is not Status.MET)


def test_slow_transactions_breach() -> None:
    verdict = judge(TARGET, replace(GOOD, transaction_p99_ns=500_000_001), 60, 60)
    assert verdict.status is Status.BREACHED
    assert verdict.reasons[0].startswith("transaction p99 ")


def test_transactions_exactly_at_the_target_are_met() -> None:
    assert judge(TARGET, replace(GOOD, transaction_p99_ns=500_000_000), 60, 60).status is Status.MET


@pytest.mark.parametrize(
    "diagnosis",
    [{"rtt_p95_ns": 50_000_001}, {"rtt_p99_ns": 100_000_001}, {"loss": 0.0011}],
    ids=lambda d: next(iter(d)),
)
def test_round_trip_time_or_loss_over_target_is_a_risk_not_a_breach(diagnosis: dict[str, float]) -> None:
    verdict = judge(TARGET, Measured(**diagnosis), 60, 60)  # type: ignore[arg-type]
    assert verdict.status is Status.AT_RISK
    assert len(verdict.reasons) == 1


def test_a_breach_is_named_before_its_diagnoses() -> None:
    verdict = judge(TARGET, replace(GOOD, availability=0.9, loss=0.05), 60, 60)
    assert verdict.status is Status.BREACHED
    assert [reason.split()[0] for reason in verdict.reasons] == ["availability", "loss"]


def test_no_loss_alone_is_no_data_not_met() -> None:
    only_loss = Measured(None, None, None, 0.0, None)
    assert judge(TARGET, only_loss, 60, 60).status is Status.NO_DATA


def test_loss_alone_can_still_be_a_risk() -> None:
    only_loss = Measured(None, None, None, 0.05, None)
    assert judge(TARGET, only_loss, 60, 60).status is Status.AT_RISK


ONLY_ROUND_TRIPS = Measured(transaction_p99_ns=None, availability=None)


def test_round_trip_times_alone_are_no_data_not_met() -> None:
    verdict = judge(TARGET, ONLY_ROUND_TRIPS, 60, 60, samples=0)
    assert verdict.status is Status.NO_DATA
    assert verdict.reasons == ("neither budget was measured: no request with an answer was seen",)
    assert verdict.budget_left is None


def test_why_neither_budget_was_measured_is_said() -> None:
    verdict = judge(TARGET, ONLY_ROUND_TRIPS, 60, 60, samples=0, why_not="encrypted")
    assert verdict.reasons == ("neither budget was measured: requests not measurable, encrypted",)


def test_round_trip_times_alone_can_still_be_a_risk() -> None:
    slow = replace(ONLY_ROUND_TRIPS, rtt_p95_ns=50_000_001)
    assert judge(TARGET, slow, 60, 60, samples=0).status is Status.AT_RISK


@pytest.mark.parametrize(("held", "status"), [(57, Status.MET), (56, Status.NO_DATA), (0, Status.NO_DATA)])
def test_a_period_of_which_less_than_95_percent_is_held_is_not_met(held: int, status: Status) -> None:
    assert judge(TARGET, GOOD, 60, 60, held=Held(held, 60)).status is status


def test_what_is_bad_in_the_part_that_is_held_is_said_all_the_same() -> None:
    bad = replace(GOOD, availability=0.9)
    assert judge(TARGET, bad, 60, 60, held=Held(1, 60)).status is Status.BREACHED


@pytest.mark.parametrize(("samples", "status"), [(3, Status.MET), (2, Status.NO_DATA), (0, Status.NO_DATA)])
def test_a_handful_of_packets_is_never_green(samples: int, status: Status) -> None:
    assert judge(TARGET, GOOD, 1, 1, samples=samples).status is status


def test_a_handful_of_packets_may_show_what_is_bad() -> None:
    assert judge(TARGET, replace(GOOD, availability=0.0), 1, 1, samples=1).status is Status.BREACHED


def test_a_scope_that_is_changed_all_the_time_is_not_unseen() -> None:
    verdict = judge(TARGET, GOOD, 0, 0, minutes_excluded=5)
    assert (verdict.status, verdict.reasons) == (Status.NO_DATA, ("every minute is of a planned change",))
