"""Slots as they were told; outages as they must be: counted by hand from the story, pair by pair."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.polls.joining import Outage, Scope
from tests.analyzers.polls.telling import DECLARED, Told, site_with
from tests.policy.factories import DRIVE, MINUTE, NOON, PLC, SAFETY_PLC, SECOND


def only(told: Told, polls: str = "", changes: str = "") -> Outage:
    outages = told.judged(site_with(polls=polls, changes=changes)).outages
    assert len(outages) == 1, outages
    return outages[0]


def none(told: Told, polls: str = "", changes: str = "") -> None:
    assert told.judged(site_with(polls=polls, changes=changes)).outages == ()


@pytest.mark.parametrize("letter", ["u", "e", "l"])
def test_three_bad_slots_in_a_row_are_an_outage(letter: str) -> None:
    told = Told()
    told.poll("g" * 20 + 3 * letter + "g" * 10)
    outage = only(told)
    assert (outage.start_ns, outage.end_ns) == (NOON + 20 * SECOND, NOON + 23 * SECOND)
    assert outage.first.bad == 3


@pytest.mark.parametrize("letter", ["u", "e", "l"])
def test_two_bad_slots_in_a_row_are_none(letter: str) -> None:
    told = Told()
    told.poll(("g" * 20 + 2 * letter) * 3 + "g" * 10)
    none(told)


def test_different_ways_to_fail_are_one_outage() -> None:
    told = Told()
    told.poll("g" * 20 + "uel" + "g" * 10)
    assert only(told).first.bad == 3


def test_an_outage_that_goes_on_has_no_end_and_counts_what_was_due() -> None:
    told = Told()
    told.poll("g" * 20 + "u" * 10)
    told.until(40)
    outage = only(told)
    assert outage.end_ns is None
    # Due at 20, 21, ... and judged once the deadline of class C2 (1 s) and half a slot are over: up to 38.
    assert outage.first.bad == 19


def test_a_client_that_falls_silent_is_told_as_that() -> None:
    told = Told()
    told.poll("g" * 20 + "-" * 10 + "g" * 10)
    outage = only(told)
    assert outage.only_missed
    assert (outage.start_ns, outage.end_ns) == (NOON + 20 * SECOND, NOON + 30 * SECOND)
    assert outage.first.bad == 10


def test_a_client_that_ended_its_connection_in_order_has_stopped_asking() -> None:
    told = Told()
    told.poll("g" * 20)
    told.seen(19.5, fins_c2s=1, fins_s2c=1)
    told.poll("g" * 10, from_s=40, flow=told.flow(anew=True))
    none(told)
    none(told, DECLARED)
    assert sum(told.judged().stopped.values()) == 20


def test_a_client_that_ended_it_and_tries_again_has_not() -> None:
    told = Told()
    told.poll("g" * 20)
    told.seen(19.5, fins_c2s=1, fins_s2c=1)
    told.seen(21, told.flow(anew=True), syn_frame=77, established=False, packets=(1, 0), payload=(0, 0))
    told.poll("g" * 10, from_s=40, flow=told.flow(anew=True))
    outage = only(told)
    assert not outage.only_missed
    assert (outage.first.around.attempts, outage.first.around.attempt_frame) == (1, 77)
    assert outage.first.bad == 20


def test_a_client_that_opened_a_connection_long_before_it_was_answered_has_not_either() -> None:
    told = Told()
    told.poll("g" * 20)
    told.seen(19.5, fins_c2s=1, fins_s2c=1)
    # Its first SYN at 21 s, repeated until it was accepted at 39 s.
    again = told.flow(anew=True)
    told.seen(21, again, syn_frame=77, syn_ack_frame=99)
    told.poll("g" * 10, from_s=40, flow=again)
    outage = only(told)
    assert not outage.only_missed
    assert (outage.first.around.idle_openings, outage.first.bad) == (1, 20)


def test_a_client_that_asks_for_something_else_has_made_a_choice() -> None:
    told = Told()
    told.poll("g" * 20 + "-" * 20 + "g" * 10)
    told.poll("g" * 50, from_s=0.4, address=100)
    none(told)


def test_a_choice_is_none_of_others_connections_or_a_refusal_before_it() -> None:
    told = Told()
    told.poll("g" * 20 + "e" + "-" * 20 + "g" * 10)
    told.poll("g" * 50, from_s=0.4, address=100)
    told.seen(30, told.flow(anew=True), syn_frame=77, syn_ack_frame=78)
    none(told)


def test_a_declared_poll_is_missed_whatever_else_the_client_asks() -> None:
    told = Told()
    told.poll("g" * 20 + "-" * 20 + "g" * 10)
    told.poll("g" * 50, from_s=0.4, address=100)
    outage = only(told, DECLARED)
    assert (outage.first.bad, outage.scope) == (20, Scope.CONVERSATION)


def test_a_declared_poll_has_its_own_deadline() -> None:
    told = Told()
    told.poll("g" * 20)
    for second in (20, 21, 22):
        told.ask(second, "g")
        told.wire.transactions[-1]["latency_ns"] = SECOND * 3 // 10
    told.poll("g" * 10, from_s=23)
    none(told)
    assert only(told, DECLARED).first.bad == 3


def test_a_change_of_pace_is_no_outage() -> None:
    told = Told()
    slower = told.poll("g" * 30)
    told.poll("g" * 30, period_s=10, from_s=slower + 9)
    none(told)


def test_a_faster_pace_is_learned() -> None:
    told = Told()
    told.poll("g" * 12, period_s=10)
    told.poll("g" * 40 + "u" * 4 + "g" * 20, period_s=2, from_s=120)
    outage = only(told)
    assert (outage.first.bad, outage.first.relation.period_ns) == (4, 2 * SECOND)


def test_a_person_who_asks_now_and_then_is_no_poll() -> None:
    told = Told()
    for at_s in (0, 12, 15, 59, 66, 186, 195, 226, 228, 300, 417, 500, 502, 640):
        told.ask(at_s, "g")
    assert told.judged().relations == ()
    none(told)


def test_random_requests_have_no_outages() -> None:
    # Exponential intervals, as of many independent people: the memoryless worst case.
    chance = random.Random(20_261_122)
    told, at_s = Told(), 0.0
    for _ in range(6_000):
        at_s += chance.expovariate(1.0)
        told.ask(at_s, "g")
    none(told)


def test_a_retry_that_is_answered_makes_its_slot_good() -> None:
    told = Told()
    told.poll("g" * 20, period_s=2)
    for second in range(40, 50, 2):
        told.ask(second, "u")
        told.ask(second + 0.5, "g")
    told.poll("g" * 10, period_s=2, from_s=50)
    judgement = told.judged()
    assert judgement.outages == () and judgement.missed == {}
    assert judgement.relations[0].good == 35


def test_a_slot_asked_many_times_in_vain_is_one_bad_slot() -> None:
    told = Told()
    told.poll("g" * 20, period_s=2)
    for second in range(40, 50, 2):
        for retry in range(3):
            told.ask(second + 0.3 * retry, "u")
    told.poll("g" * 10, period_s=2, from_s=50)
    assert only(told).first.bad == 5


def test_slots_in_minutes_that_the_capture_lost_are_not_judged() -> None:
    told = Told()
    told.poll("g" * 55 + "u" * 10 + "g" * 60)
    assert only(told).first.bad == 10
    told.lossy_minutes = {NOON}
    outage = only(told)
    # Five slots before 12:01:00 are unknown, five after it are bad.
    assert (outage.first.bad, outage.start_ns) == (5, NOON + 60 * SECOND)
    told.lossy_minutes = {NOON, NOON + MINUTE}
    none(told)


def test_a_sensor_that_falls_silent_is_no_outage_of_the_plant() -> None:
    told = Told()
    told.poll("g" * 50 + "-" * 100 + "g" * 50)
    assert only(told).first.bad == 100
    told.silent_minutes = {NOON + MINUTE}
    none(told)


def test_a_stream_that_went_on_unseen_is_no_outage() -> None:
    told = Told()
    told.poll("g" * 20 + "-" * 10 + "g" * 10)
    told.seen(30, gap_bytes_c2s=120)
    none(told)


def test_the_time_after_the_last_packet_is_not_judged() -> None:
    told = Told()
    told.poll("g" * 20)
    told.until(23.4)
    none(told)
    told.until(23.6)
    assert only(told).first.bad == 3


def test_a_planned_stop_is_not_held_against_anybody() -> None:
    told = Told()
    told.poll("g" * 30 + "u" * 20 + "g" * 20)
    change = (
        'changes:\n- {ref: CHG-9, start: "2026-11-23T12:00:29Z", end: "2026-11-23T12:00:50Z", assets: [plc1], '
        "sla_exclude: true}\n"
    )
    none(told, changes=change)
    longer = only(told, changes=change.replace("12:00:50", "12:00:40"))
    assert (longer.start_ns, longer.first.bad) == (NOON + 40 * SECOND, 10)
    emergency = only(told, changes=change.replace("sla_exclude", "kind: emergency, sla_exclude"))
    assert emergency.first.bad == 20


def test_a_poll_that_was_never_answered_is_out_since_it_was_first_asked() -> None:
    told = Told()
    told.poll("u" * 20)
    told.seen(5)
    told.until(25)
    outage = only(told)
    assert (outage.start_ns, outage.first.before, outage.end_ns) == (NOON, None, None)


def test_one_direction_only_is_no_outage() -> None:
    told = Told()
    told.poll("u" * 20)
    told.seen(5, packets=(20, 0), payload=(100, 0))
    told.until(25)
    none(told)


def test_one_device_is_one_outage_however_many_polls_it_has() -> None:
    told = Told()
    for number in range(20):
        told.poll("g" * 20 + "u" * 10 + "g" * 10, from_s=number / 50, address=number * 10)
    outage = only(told)
    assert (outage.scope, len(outage.runs)) == (Scope.SERVER, 20)


def test_a_poll_that_was_answered_is_a_witness_that_the_device_is_there() -> None:
    told = Told()
    told.poll("g" * 20 + "e" * 10 + "g" * 10)
    told.poll("g" * 40, from_s=0.3, address=100)
    outage = only(told)
    assert (outage.scope, len(outage.runs)) == (Scope.CONVERSATION, 1)


def test_all_devices_behind_a_conduit_are_one_outage() -> None:
    told = Told()
    for number, server in enumerate((PLC, SAFETY_PLC, DRIVE)):
        told.poll("g" * 20 + "u" * 10 + "g" * 10, from_s=number / 10, server=server)
    outage = only(told)
    assert (outage.scope, len(outage.runs)) == (Scope.CONDUIT, 3)


def test_two_devices_of_three_are_two_outages() -> None:
    told = Told()
    for number, server in enumerate((PLC, SAFETY_PLC)):
        told.poll("g" * 20 + "u" * 10 + "g" * 10, from_s=number / 10, server=server)
    told.poll("g" * 40, from_s=0.5, server=DRIVE)
    outages = told.judged().outages
    assert [(one.scope, len(one.runs)) for one in outages] == [(Scope.SERVER, 1)] * 2


def test_a_client_that_asks_none_of_its_servers_is_one_outage() -> None:
    told = Told()
    for number, server in enumerate((PLC, DRIVE)):
        told.poll("g" * 20 + "-" * 30 + "g" * 10, from_s=number / 10, server=server)
    outage = only(told)
    assert (outage.scope, len(outage.runs)) == (Scope.CLIENT, 2)


def test_a_poll_that_comes_and_goes_flaps() -> None:
    told = Told()
    told.poll("g" * 20 + "uugggeugggguggggug" + "g" * 20)
    judgement = told.judged()
    assert judgement.outages == ()
    (flapping,) = judgement.flapping
    assert [run.bad for run in flapping.runs] == [2, 2, 1, 1]


@pytest.mark.parametrize("apart", [8, 9])
def test_six_changes_within_21_slots_are_flapping(apart: int) -> None:
    told = Told()
    # Three lone bad slots, `apart` slots from one to the next: with a good one on either side 2 * apart + 3 slots.
    told.poll("g" * 20 + ("u" + "g" * (apart - 1)) * 3 + "g" * 20)
    assert len(told.judged().flapping) == (2 * apart + 3 <= 21)


def test_answers_that_are_late_now_and_then_do_not_flap() -> None:
    told = Told()
    told.poll("g" * 20 + "lgglgglggl" + "g" * 20)
    assert told.judged().flapping == ()


def test_outages_within_flapping_are_told_by_it() -> None:
    told = Told()
    told.poll("g" * 20 + "uuugggguuuggggug" + "g" * 20)
    judgement = told.judged()
    assert judgement.outages == () and len(judgement.flapping) == 1


def test_a_clock_that_goes_back_is_no_outage() -> None:
    told = Told(in_order=True)
    told.poll("g" * 30)
    told.poll("g" * 30, from_s=5.2)
    judgement = told.judged()
    assert judgement.outages == ()
    assert judgement.relations[0].clock_set_back == 1


def test_daylight_saving_is_no_matter() -> None:
    # The night in which Santiago's clocks go back, 2027-04-04T03:00Z: slots are counted in UTC.
    told = Told()
    told.poll("g" * 240, period_s=60, from_s=1_806_807_600 - 7_200 - NOON // SECOND)
    judgement = told.judged()
    assert judgement.outages == () and judgement.missed == {}
    assert judgement.relations[0].good == 240


def test_slots_nobody_asked_in_are_counted_by_the_minute() -> None:
    told = Told()
    told.poll("g" * 50 + "-" * 20 + "g" * 50)
    missed = told.judged(site_with(polls=DECLARED)).missed
    assert sorted((at - NOON, count) for (_, at), count in missed.items()) == [(0, 10), (MINUTE, 10)]


@settings(deadline=None, max_examples=25)
@given(
    story=st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from("ue"), st.integers(1, 8)), min_size=1, max_size=5
    ).map(lambda parts: "".join("g" * good + letter * bad for good, letter, bad in parts)),
    period_ms=st.integers(200, 60_000),
    jitter=st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=7),
)
def test_bad_slots_are_those_of_the_story_whatever_the_period_and_jitter(
    story: str, period_ms: int, jitter: list[float]
) -> None:
    period_s = period_ms / 1_000
    told = Told()
    told.poll("g" * 12 + story + "g" * 25, period_s=period_s, jitter_s=[part * period_s for part in jitter])
    judgement = told.judged()
    runs = [run for outage in judgement.outages for run in outage.runs]
    runs += [run for flapping in judgement.flapping for run in flapping.runs]
    told_runs = [len(found) for found in re.findall("[ue]+", story)]
    # Everything that is three long is found, as long as it is; what is shorter only within flapping.
    assert sorted(run.bad for run in runs if run.bad >= 3) == sorted(bad for bad in told_runs if bad >= 3)
    assert all(run.bad in told_runs for run in runs)
    assert not judgement.missed
