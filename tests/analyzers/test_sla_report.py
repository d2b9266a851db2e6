"""The SLA report from measured minutes: every figure by hand, nothing met by absence, the same from any cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.periods import Period, calendar_month
from analyzers.sketch import EDGES
from analyzers.sla import Status
from analyzers.sla_report import Source, sla_report
from analyzers.sla_report_form import METHOD, CaptureName, Scope, SlaReport
from analyzers.sla_totals import Measured, measured
from policy.loader import loads
from policy.zoning import CompiledSite, compile_site
from tests.store.samples import START, coverage, minutes

MS = 1_000_000
SITE = """\
schema: 1
site: {id: mine-a, name: "Mine A", tz: America/Santiago}
zones:
- {id: plant, name: "Plant", purdue: 1, criticality: C2, cidrs: [10.0.1.0/24]}
- {id: control, name: "Control room", purdue: 2, criticality: C1, cidrs: [10.0.2.0/24]}
- {id: quiet, name: "Quiet", purdue: 3, criticality: C3, cidrs: [10.0.3.0/24]}
conduits:
- {id: c-poll, from: control, to: plant, allow: [{id: r1, service: modbus, reason: polls, owner: ot}]}
sla:
- {id: s-poll, scope: {conduit: c-poll}, class: C3, availability_percent: 99, transaction_p99_ms: 50}
"""
UP = {"from_zone": "control", "to_zone": "plant", "conduit": "c-poll"}
HOUR = Period(START, START + timedelta(hours=1))
SOURCE = Source((CaptureName(name="a.pcap", sha256="ab" * 32),), "site.yaml", "cd" * 32, "0.0.0")


def bucket(duration_ns: int) -> int:
    return next(number for number, edge in enumerate(EDGES) if edge >= duration_ns)


def site() -> CompiledSite:
    return compile_site(loads(SITE).site)


def frame(*rows: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(minutes(rows))


def polls(at: int, good: int, bad: int = 0, **more: Any) -> dict[str, Any]:
    return {**UP, "at": at, "transactions": good + bad, "good": good, "unanswered": bad, **more}


def report(
    *rows: Mapping[str, Any], period: Period = HOUR, read: pl.DataFrame | None = None, **scopes: Any
) -> SlaReport:
    told = pl.DataFrame(coverage([{"at": at, "packets": 1} for at in sorted({row["at"] for row in rows})]))
    told = told if read is None else read
    return sla_report(site(), measured(frame(*rows), told, period), period, SOURCE, **scopes)


def conduit(*rows: Mapping[str, Any], **more: Any) -> Scope:
    return report(*rows, conduits=["c-poll"], **more).scopes[0]


def whole_hour(**more: Any) -> list[dict[str, Any]]:
    return [polls(minute, 100, **more) for minute in range(60)]


def test_a_budget_by_hand() -> None:
    # 60 minutes of 100 polls; 12 bad in one of them. 99 % allows 60 of 6,000, and 432 min of 30 days.
    rows = [*whole_hour()[:-1], polls(59, 88, 12)]
    found = conduit(*rows).availability
    assert (found.slots, found.bad_slots, found.allowed_slots, found.left_slots) == (6000, 12, 60, 48)
    assert (found.target_percent, found.achieved_percent) == (99, 99.8)
    assert found.burn_rate == 0.2
    assert (found.allowed_minutes, found.spent_minutes, found.left_minutes) == (432, 0.12, 431.88)
    assert found.left_percent == 99.9722  # 431.88 / 432, rounded down
    assert found.lasts_minutes == 215_940  # 431.88 / (0.12 / 60)


def test_the_time_budget_counts_answers_over_the_target() -> None:
    # 60 x 100 answers: 99 of 10 ms and one of 51 ms; 99 % within 50 ms is exactly met
    times = {"transaction_buckets": [bucket(10 * MS), bucket(51 * MS)], "transaction_counts": [99, 1]}
    scope = conduit(*whole_hour(**times))
    found = scope.transaction_time
    assert (found.slots, found.bad_slots, found.allowed_slots, found.burn_rate) == (6000, 60, 60, 1)
    assert scope.status is Status.MET
    slower = {"transaction_buckets": [bucket(10 * MS), bucket(51 * MS)], "transaction_counts": [98, 2]}
    scope = conduit(*whole_hour(**slower))
    assert scope.transaction_time.burn_rate == 2
    assert scope.status is Status.BREACHED
    assert scope.transaction.p99_ms == pytest.approx(51, rel=0.01)


def test_outcomes_add_up_and_missed_polls_are_slots() -> None:
    row = polls(0, 90, unanswered=4, exceptions=3, late=2, missed=1, transactions=99)
    scope = conduit(row)
    outcomes = scope.outcomes
    assert (outcomes.requests, outcomes.missed) == (99, 1)
    assert outcomes.good + outcomes.late + outcomes.exceptions + outcomes.unanswered + outcomes.missed == 100
    assert (scope.availability.slots, scope.availability.bad_slots) == (100, 10)
    assert scope.availability.achieved_percent == 90


def test_loss_is_told_by_where_it_happened() -> None:
    scope = conduit(*whole_hour(data_segments=100, lost_segments=3, lost_before_tap=1, lost_after_tap=2))
    assert (scope.loss.before_tap_segments, scope.loss.after_tap_segments) == (60, 120)
    assert scope.loss.percent == 3
    assert scope.status is Status.AT_RISK
    assert scope.reasons == ("loss 3.00%, target 0.50%",)


def test_excluded_minutes_leave_every_figure_and_are_shown_with_their_change() -> None:
    dead = [
        polls(minute, 0, 100, exclusion="CHG-7", data_segments=10, lost_segments=10, lost_after_tap=10)
        for minute in range(10)
    ]
    scope = conduit(*dead, *whole_hour()[10:])
    assert scope.status is Status.MET
    assert (scope.availability.slots, scope.availability.bad_slots) == (5000, 0)
    assert scope.loss.data_segments == 0
    assert [(e.refs, e.minutes, e.conversation_minutes) for e in scope.exclusions] == [("CHG-7", 10, 10)]
    assert (scope.minutes.seen, scope.minutes.excluded, scope.minutes.wholly_excluded) == (60, 10, 10)
    assert scope.availability.allowed_minutes == 431.9  # 1 % of 43,200 - 10
    assert scope.alerts == ()


def test_minutes_in_target_are_those_whose_own_requests_met_it() -> None:
    # 99 %: one bad of a hundred is within it, two are not, and one of ten is not. What is excluded, invalid or
    # without a request is in no share.
    rows = [
        *(polls(0, 99, 1), polls(1, 98, 2), polls(2, 9, 1), polls(3, 0, 0), polls(4, 100)),
        *(polls(5, 0, 100, exclusion="CHG-7"), polls(6, 0, 100, valid=False)),
        *(polls(7, 50), polls(7, 49, 1, client="10.0.2.11")),
    ]
    minutes = conduit(*rows).minutes
    assert (minutes.seen, minutes.counted) == (8, 6)
    assert (minutes.with_slots, minutes.in_target) == (5, 3)


def test_a_minute_in_target_says_nothing_of_a_conduit_that_nobody_asked() -> None:
    minutes = conduit(polls(0, 0), polls(1, 0)).minutes
    assert (minutes.counted, minutes.with_slots, minutes.in_target) == (2, 0, 0)


def test_a_minute_may_be_excluded_for_one_conversation_and_count_for_another() -> None:
    rows = [polls(0, 0, 10, exclusion="CHG-7"), polls(0, 10, client="10.0.2.11")]
    scope = conduit(*rows)
    assert (scope.minutes.counted, scope.minutes.excluded, scope.minutes.wholly_excluded) == (1, 1, 0)
    assert (scope.availability.slots, scope.availability.bad_slots) == (10, 0)


def test_an_outage_in_part_excluded_counts_for_the_rest() -> None:
    rows = whole_hour()[:20]
    rows += [polls(minute, 0, 100, exclusion="CHG-7" if minute < 25 else "") for minute in range(20, 30)]
    scope = conduit(*rows, *whole_hour()[30:])
    assert scope.availability.bad_slots == 500
    assert scope.status is Status.BREACHED
    (page,) = (alert for alert in scope.alerts if alert.rule == "burn-1h")
    # 14.4 times the budget of 1 %: 300 of 2,300 is not above it, 400 of 2,400 is
    assert page.start == START + timedelta(minutes=28)


def test_invalid_minutes_are_in_no_figure_and_their_cause_is_said() -> None:
    rows = [polls(0, 0, 100, valid=False), *whole_hour()[1:]]
    read = pl.DataFrame(
        coverage(
            [
                {"packets": 1000, "dropped_packets": 40, "unseen_segments": 3},
                *({"at": minute, "packets": 1} for minute in range(1, 60)),
            ]
        )
    )
    found = report(*rows, read=read, conduits=["c-poll"])
    (scope,) = found.scopes
    assert (scope.availability.bad_slots, scope.minutes.invalid, scope.status) == (0, 1, Status.MET)
    assert scope.missing[0] == (
        "1 of 60 minutes are not judged: the capture lost more than 0.1% of them (40 packets dropped, "
        "3 segments acknowledged but never seen, by all captures in the period)"
    )
    assert (found.watched.packets, found.watched.dropped_packets) == (1059, 40)


def test_a_scope_of_which_nothing_was_seen_has_no_data() -> None:
    scopes = {scope.id: scope for scope in report(*whole_hour()).scopes}
    assert list(scopes) == ["plant", "control", "quiet", "c-poll"]
    quiet = scopes["quiet"]
    assert (quiet.status, quiet.reasons) == (Status.NO_DATA, ("no packet was seen",))
    assert (quiet.availability.achieved_percent, quiet.availability.left_percent) == (None, None)
    assert quiet.worst is None


def test_what_was_wholly_excluded_is_no_data_and_not_met() -> None:
    scope = conduit(*whole_hour(exclusion="CHG-7"))
    assert scope.status is Status.NO_DATA
    assert scope.reasons == ("every minute was excluded by planned changes (CHG-7)",)


def test_a_month_of_which_an_hour_was_seen_is_not_met() -> None:
    month = calendar_month(2026, 3, "America/Santiago")
    scope = conduit(*whole_hour(), period=month)
    assert scope.status is Status.NO_DATA
    assert scope.reasons == (
        "within target in what was seen, but the captures hold 60 of the period's 44,640 minutes",
    )
    assert scope.availability.allowed_minutes == 446.4  # 31 days
    assert conduit(polls(0, 0, 100), period=month).status is Status.BREACHED


def test_what_cannot_be_told_is_neither_good_nor_bad_and_said() -> None:
    scope = conduit(
        polls(0, 0, transactions=0, not_measurable_encrypted=1500, not_measurable_one_sided=2), period=HOUR
    )
    assert scope.availability.slots == 0
    assert scope.status is Status.NO_DATA
    assert scope.missing == (
        "the captures hold nothing of 59 of the period's 60 minutes",
        "1,500 transactions are neither good nor bad: encryption hides what answers them",
        "2 transactions are neither good nor bad: only one direction was seen",
        "no availability and no transaction time: no request was seen whose answer can be matched",
        "no round-trip time: no TCP handshake and no data with its acknowledgement was seen",
        "no loss: no TCP data segment was seen",
    )


def test_round_trips_alone_make_nothing_met_and_the_report_says_what_is_missing() -> None:
    times: dict[str, Any] = {
        "rtt_buckets": [bucket(5 * MS)],
        "rtt_counts": [100],
        "data_segments": 100,
    }
    scope = conduit(*(polls(minute, 0, **times) for minute in range(60)))
    assert scope.rtt.samples == 6000
    assert scope.status is Status.NO_DATA
    assert scope.reasons == ("neither budget was measured: no request with an answer was seen",)
    assert scope.missing == (
        "no availability and no transaction time: no request was seen whose answer can be matched",
    )
    hidden = conduit(*(polls(minute, 0, not_measurable_encrypted=9, **times) for minute in range(60)))
    assert hidden.reasons == ("neither budget was measured: requests not measurable, encrypted",)


def test_a_period_is_met_where_the_captures_hold_95_percent_of_it() -> None:
    def judged(held: int) -> Scope:
        read = coverage([{"at": minute, "packets": 1} for minute in range(held)])
        return conduit(*whole_hour(), read=pl.DataFrame(read))

    assert judged(57).status is Status.MET
    assert judged(56).reasons == (
        "within target in what was seen, but the captures hold 56 of the period's 60 minutes",
    )


def test_minutes_of_a_capture_without_a_packet_are_not_held() -> None:
    read = coverage([{"at": minute, "packets": 1 if minute < 50 else 0} for minute in range(60)])
    assert conduit(*whole_hour(), read=pl.DataFrame(read)).status is Status.NO_DATA


def test_three_bad_in_a_row_are_told_in_a_c1_scope_only() -> None:
    # each conversation alone: two bad ones of one and one of another are no three in a row
    apart = [polls(5, 4, 2), polls(5, 4, 1, client="10.0.2.11")]
    row = polls(7, 0, 3)
    scopes = {scope.id: scope for scope in report(*apart, row).scopes}
    (alert,) = scopes["control"].alerts
    assert (alert.rule, alert.start) == ("in-a-row", START + timedelta(minutes=7))
    assert alert.peak == 3
    assert scopes["plant"].alerts == ()


def test_the_worst_conversation_is_the_slowest() -> None:
    slow = {"transaction_buckets": [bucket(80 * MS)], "transaction_counts": [10]}
    quick = {"transaction_buckets": [bucket(8 * MS)], "transaction_counts": [1000]}
    scope = conduit({**polls(0, 1000), **quick}, {**polls(0, 9, 1, client="10.0.2.11"), **slow})
    assert scope.worst is not None
    assert (scope.worst.conversation, scope.worst.indicator) == ("10.0.2.11 → 10.0.1.5:502", "transaction")
    assert scope.worst.p99_ms == pytest.approx(80, rel=0.01)
    assert scope.worst.achieved_percent == 90


def test_path_jitter_is_the_longest_less_the_shortest_round_trip() -> None:
    # 1 of 500 is above the 99.9th percentile's rank: the longest of 500 is the p99.9
    times = {"rtt_buckets": [bucket(5 * MS), bucket(25 * MS)], "rtt_counts": [499, 1]}
    assert conduit({**polls(0, 10), **times}).path_jitter_ms == pytest.approx(20, rel=0.03)
    assert conduit(polls(0, 10)).path_jitter_ms is None


def test_times_are_in_utc_and_in_the_sites_zone() -> None:
    found = report(*whole_hour())
    assert (found.period.start.isoformat(), found.period.start_local.isoformat()) == (
        "2026-03-01T06:00:00+00:00",
        "2026-03-01T03:00:00-03:00",
    )
    assert (found.method, found.time_zone) == (METHOD, "America/Santiago")


def test_minutes_outside_the_period_are_not_reported() -> None:
    scope = conduit(polls(-1, 0, 100), *whole_hour(), polls(60, 0, 100))
    assert (scope.availability.slots, scope.availability.bad_slots) == (6000, 0)


def test_an_empty_period() -> None:
    found = sla_report(site(), Measured(), HOUR, SOURCE)
    assert {scope.status for scope in found.scopes} == {Status.NO_DATA}
    assert (found.watched.first_packet, found.watched.minutes) == (None, 0)


def test_a_scope_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError, match="attic"):
        report(zones=["attic"])
    assert [scope.id for scope in report(zones=["quiet", "plant"]).scopes] == ["plant", "quiet"]


def test_a_share_that_missed_its_target_by_little_does_not_read_as_met() -> None:
    scope = conduit(polls(0, 98_999_999, 1_000_001))
    assert scope.status is Status.BREACHED
    assert scope.availability.achieved_percent == 98.9999


ROWS = st.lists(
    st.tuples(
        st.integers(0, 59),
        st.integers(0, 20),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from(["", "", "CHG-1", "CHG-2"]),
        st.sampled_from(["10.0.2.10", "10.0.2.11", "10.0.2.12"]),
    ),
    max_size=40,
)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_rows_in_any_order_and_any_cut_give_the_same_report(drawn: list[Any], chance: Any) -> None:
    rows = [
        polls(at, good, bad, valid=valid, exclusion=exclusion, client=client, first_frame=n + 1,
              rtt_buckets=[500 + bad, 600], rtt_counts=[good + 1, 1])
        for n, (at, good, bad, valid, exclusion, client) in enumerate(drawn)
    ]  # fmt: skip
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert report(*shuffled).model_dump_json() == report(*rows).model_dump_json()
    counting = [row for row in rows if row["valid"] and not row["exclusion"]]
    scope = conduit(*rows)
    assert scope.outcomes.requests == sum(row["transactions"] for row in counting)
    assert scope.minutes.seen == len({row["at"] for row in rows})
    assert scope.minutes.counted == len({row["at"] for row in counting})
