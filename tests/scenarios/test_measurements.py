"""What is measured is what is true: the figures that the samples' makers injected or the stations reported."""

from __future__ import annotations

from itertools import chain

import polars as pl
import pytest

from analyzers import sketch
from analyzers.attribution import because
from analyzers.sla import Status
from pcaps import sample, samples
from tests.scenarios.pipeline import conversation, outcome

SAMPLES = samples()
NAMES = [one.name for one in SAMPLES]
SYNTHETIC = [one.name for one in SAMPLES if one.origin["kind"] == "synthetic"]
#: Captures that show everything that was on the wire.
WHOLE = [one.name for one in SAMPLES if not one.truth["removed_frames"]]
#: Captures from which whole directions or stretches are missing, and no single frames.
HALF_SEEN = {"span-one-sided", "sensor-silence"}
#: Conduits that only names and time cross, whose UDP shows neither loss nor round trips; and what only TLS comes
#: from, whose round trips are seen and whose answers are not.
UNMEASURABLE = {"c-room-ops", "c-dmz-ops", "c-reports", "enterprise"}
RTT_SHARE, RTT_FLOOR_NS = 0.03, 300_000


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_read_and_none_is_malformed(name: str) -> None:
    tally, truth = outcome(name).result.tally, sample(name).truth
    assert (tally.packets, tally.malformed_packets) == (sample(name).frames, 0)
    assert tally.dropped_packets == truth.get("dropped_frames_told", 0)
    # A response whose request the capture lost is a row that says so, and nothing wrong on the wire.
    assert {" ".join(kind) for kind in tally.anomalies} == set(truth.get("anomalies", ()))


@pytest.mark.parametrize("name", WHOLE)
def test_every_modbus_request_is_a_transaction_with_its_answer(name: str) -> None:
    truth, outcomes = sample(name).truth, outcome(name).result.tally.outcomes
    asked = truth["modbus_requests"]
    unanswered, orphans = truth.get("modbus_unanswered", 0), truth.get("modbus_orphans", 0)
    assert (outcomes["unanswered"], outcomes["orphan"]) == (unanswered, orphans)
    assert (
        outcomes["answered"] + outcomes["exception"]
        == asked - unanswered
        == truth["modbus_answers"] - orphans
    )
    assert sum(outcomes.values()) == asked + orphans


@pytest.mark.parametrize("name", SYNTHETIC)
def test_round_trip_times_are_the_true_ones(name: str) -> None:
    minutes = outcome(name).minutes
    for path in sample(name).truth.get("round_trip", ()):
        rows = conversation(minutes, path).filter(
            (pl.col("minute") >= path["from"]) & (pl.col("minute") < path["to"])
        )
        histogram = sketch.added(rows["rtt_buckets"], rows["rtt_counts"])
        median = sketch.percentile(*histogram, 0.5)
        assert median is not None, path
        assert abs(median - path["rtt_ns"]) <= max(RTT_SHARE * path["rtt_ns"], RTT_FLOOR_NS), path


@pytest.mark.parametrize("name", SYNTHETIC)
def test_lost_segments_are_those_that_the_tap_can_see(name: str) -> None:
    minutes = outcome(name).minutes
    for talk in sample(name).truth["conversation"]:
        rows = conversation(minutes, talk)
        assert rows["data_segments"].sum() == talk["data_segments"], talk
        certain = talk["seen_twice"] + talk["seen_more_often"] + talk["filled_holes"]
        # A hole that only a pure ACK told of, or that was filled within a round trip, may be counted or not.
        arguable = talk["filled_behind_acks"] + talk["filled_at_once"]
        assert certain <= rows["lost_segments"].sum() <= certain + arguable, talk
        assert rows["out_of_order_segments"].sum() <= talk["filled_at_once"], talk


def test_loss_on_the_degraded_link_is_near_the_injected_one() -> None:
    truth = sample("degraded-link").truth
    offered = truth["offered_data_before_tap"] + truth["offered_data_after_tap"]
    dropped = truth["dropped_data_before_tap"] + truth["dropped_data_after_tap"]
    report = next(one for one in outcome("degraded-link").result.conduits if one.scope == "c-room-plant")
    # Over the bad minutes only. Low: a lone answer lost before the tap leaves no trace, a segment lost twice is
    # one. It must not be high.
    assert 0.7 * dropped / offered <= report.lost_segments / offered <= 1.05 * dropped / offered


def test_only_the_degraded_conduit_is_held_to_be_bad_and_only_for_its_network() -> None:
    conduits = {one.scope: one for one in outcome("degraded-link").result.conduits}
    bad = conduits.pop("c-room-plant")
    assert bad.verdict.status is Status.AT_RISK
    assert any("RTT" in reason for reason in bad.verdict.reasons)
    assert any("loss" in reason for reason in bad.verdict.reasons)
    for scope, report in conduits.items():
        assert report.verdict.status is (Status.NO_DATA if scope in UNMEASURABLE else Status.MET), scope


def test_a_normal_shift_meets_every_target_and_the_quiet_port_is_no_data() -> None:
    result = outcome("normal-shift").result
    for report in chain(result.zones, result.conduits):
        no_data = report.scope in UNMEASURABLE or report.scope == "port"
        assert report.verdict.status is (Status.NO_DATA if no_data else Status.MET), report


@pytest.mark.parametrize("name", NAMES)
def test_span_duplicates_are_counted_exactly(name: str) -> None:
    assert outcome(name).result.tally.duplicate_packets == sample(name).truth["span_duplicates"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HALF_SEEN])
def test_segments_that_the_capture_lost_are_counted_exactly(name: str) -> None:
    removed = sample(name).truth.get("removed_data_segments", 0)
    assert outcome(name).result.tally.unseen_segments == removed


def test_a_bad_capture_is_no_bad_network() -> None:
    minutes = outcome("gap-and-duplicates").minutes
    assert minutes["lost_segments"].sum() == 0
    assert minutes["out_of_order_segments"].sum() == 0


def test_a_bad_capture_gives_no_verdict_rather_than_a_good_one() -> None:
    conduits = {one.scope: one for one in outcome("gap-and-duplicates").result.conduits}
    assert conduits["c-room-plant"].verdict.status is Status.NO_DATA


@pytest.mark.parametrize("name", ["opcua-protected-benign", "opcua-exposed"])
def test_requests_in_ciphertext_are_counted_and_in_no_figure(name: str) -> None:
    minutes = outcome(name).minutes
    hidden = [one for one in sample(name).truth["opcua_service"] if one["service"] == ""]
    assert hidden
    for one in hidden:
        rows = minutes.filter(pl.col("service") == "opcua")
        # Where the server opened the connection, who asks is the conversation's server.
        there, back = (
            int(conversation(rows, {"client": a, "server": b})["not_measurable_encrypted"].sum())
            for a, b in ((one["client"], one["server"]), (one["server"], one["client"]))
        )
        assert there + back == one["asked"], one


def test_what_is_slow_or_lossy_is_said_to_be_the_networks_and_where() -> None:
    bad = next(one for one in outcome("degraded-link").result.conduits if one.scope == "c-room-plant")
    words = " ".join(because(bad.target, bad.causes, *bad.sides))
    assert "round trips: packets wait on the way" in words
    # The tap is beside the control room: the link that was made bad lies between it and the plant.
    assert "loss between the tap and Concentrator: 31 of 31 segments" in words
    assert bad.causes.server_time_p99_ns is not None
    assert bad.causes.server_time_p99_ns <= bad.target.transaction_p99_ns
