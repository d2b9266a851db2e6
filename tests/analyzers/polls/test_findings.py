"""Findings about polls: how grave, how sure, why, where to look; and the same whatever the cut into batches."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.conversations import Conversations
from analyzers.findings import Confidence, Finding, canonical_line
from analyzers.polls.limits import PollLimits
from analyzers.polls.waits import Waits
from analyzers.polls.watch import Polls
from policy.traffic import Traffic
from sensors.engine import EngineLimits
from sensors.records import COVERAGE, FLOW_MINUTES, FLOW_STARTS, MODBUS
from tests.analyzers.polls.telling import CAPTURE, DECLARED, POLICY, Told, site_with
from tests.policy.factories import DRIVE, MINUTE, NOON, PLC, SAFETY_PLC, SECOND, batch, compiled, row

OUTAGE = "g" * 20 + "u" * 10 + "g" * 10


def only(told: Told, **site: str) -> Finding:
    found = told.findings(site_with(**site))
    assert len(found) == 1, found
    return found[0]


def one_outage(server: str = PLC, slots: str = OUTAGE) -> Told:
    told = Told()
    told.poll(slots, server=server)
    return told


def test_a_finding_carries_what_its_readers_need() -> None:
    finding = only(one_outage())
    assert (finding.kind, finding.count, finding.conduit) == ("SLA-01", 10, "c-hist")
    assert (finding.src_asset, finding.dst_asset, finding.dst_port) == ("hist1", "plc1", 502)
    assert (finding.first_ns, finding.last_ns) == (NOON + 20 * SECOND, NOON + 30 * SECOND)
    assert (finding.policy_sha256, finding.evidence.capture_sha256) == (POLICY, CAPTURE)
    assert "10 slots of one poll were bad (10 unanswered)" in finding.why
    assert "after 10 s" in finding.why and "every 1 s (learned" in finding.why


def test_evidence_is_the_last_good_one_the_first_bad_ones_and_the_next_good_one() -> None:
    operations = only(one_outage()).evidence.operations
    # Frames are counted in twos from 2: the twentieth request is frame 40, the first good one after it 62.
    assert [one.frame for one in operations] == [40, 42, 44, 46, 48, 50, 52, 54, 56, 62]
    assert operations[1].text == "unanswered: unit 1 function 3 address 0 quantity 10"


@pytest.mark.parametrize(
    ("server", "severity"),
    [
        (PLC, 4),  # an asset of C1
        (DRIVE, 3),  # its zone is C2
        (SAFETY_PLC, 4),  # C2, and a safety device
    ],
)
def test_severity_follows_the_class(server: str, severity: int) -> None:
    assert only(one_outage(server)).severity == severity


def test_mere_silence_of_a_learned_poll_is_less_grave_and_less_sure() -> None:
    learned = only(one_outage(slots=OUTAGE.replace("u", "-")))
    assert (learned.severity, learned.confidence) == (3, Confidence.MEDIUM)
    assert "of the server it says nothing" in learned.why
    declared = only(one_outage(slots=OUTAGE.replace("u", "-")), polls=DECLARED)
    assert (declared.severity, declared.confidence) == (4, Confidence.HIGH)


def test_slots_that_were_not_judged_lower_the_confidence_and_never_the_severity() -> None:
    told = one_outage(slots="g" * 50 + "u" * 20 + "g" * 100 + "g")
    assert only(told).confidence is Confidence.HIGH
    told = one_outage(slots="g" * 50 + "u" * 80 + "g" * 20)
    told.lossy_minutes = {NOON + MINUTE}
    finding = only(told)
    # Ten slots before the bad minute, ten behind it, sixty within.
    assert (finding.confidence, finding.severity, finding.count) == (Confidence.LOW, 4, 20)
    assert "60 slots among them were not judged" in finding.why


@pytest.mark.parametrize(
    ("letter", "words"),
    [("e", "the device refused"), ("l", "after their deadline"), ("u", "were not answered")],
)
def test_the_cause_is_told_by_what_came_instead(letter: str, words: str) -> None:
    assert words in only(one_outage(slots=OUTAGE.replace("u", letter))).why


def test_whole_minutes_tell_whether_the_device_still_acknowledged() -> None:
    told = one_outage(slots="g" * 20 + "u" * 200 + "g" * 10)
    told.seen(60, packets=(60, 0), retransmitted_segments_c2s=3)
    assert "60 packets went to the device, 3 of them repeated, and none came back" in only(told).why
    told.seen(120, packets=(60, 58))
    assert "its network is up, what should answer is not" in only(told).why


@pytest.mark.parametrize(("resets", "words"), [(0, "nothing came back"), (4, "its service is not")])
def test_connections_that_were_not_accepted_tell_device_from_service(resets: int, words: str) -> None:
    told = Told()
    told.poll("g" * 20 + "u")
    for number in range(4):
        told.seen(
            22 + number, told.flow(anew=True), syn_frame=70 + number, established=False,
            packets=(1, 0), payload=(0, 0), resets_s2c=int(resets > 0),
        )  # fmt: skip
    told.poll("g" * 10, from_s=40, flow=told.flow(anew=True))
    finding = only(told)
    assert "tried 4 connections that were not accepted" in finding.why and words in finding.why
    assert 70 in [one.frame for one in finding.evidence.operations]


def test_a_change_that_does_not_leave_the_sla_tags_and_lowers_by_one() -> None:
    change = (
        'changes:\n- {ref: CHG-9, start: "2026-11-23T12:00:00Z", end: "2026-11-23T13:00:00Z", assets: [plc1], '
        "sla_exclude: false}\n"
    )
    finding = only(one_outage(), changes=change)
    assert (finding.change, finding.severity) == ("CHG-9", 3)
    assert only(one_outage(), changes=change.replace("plc1", "vsd1")).change == ""


def test_flapping_is_its_own_finding() -> None:
    finding = only(one_outage(slots="g" * 20 + "uugggeugggguggggug" + "g" * 20))
    assert (finding.kind, finding.count, finding.severity) == ("SLA-02", 6, 3)
    assert "failed 4 times" in finding.why


def test_the_id_stays_while_an_outage_grows() -> None:
    growing = [one_outage(slots="g" * 20 + "u" * bad) for bad in (5, 8)]
    for told, until_s in zip(growing, (26, 29), strict=True):
        told.until(until_s)
    ended = one_outage(slots="g" * 20 + "u" * 10 + "g" * 10)
    assert len({only(told).id for told in (*growing, ended)}) == 1


def _lines(parts: list[dict[str, Any]], **site: str) -> bytes:
    mine = site_with(**site)
    conversations, polls = Conversations(mine), Polls(mine, POLICY, "0.1.0")
    for part in parts:
        polls.feed(conversations.enrich(part), part.get("coverage"))
    return b"".join(canonical_line(finding) for finding in polls.finish(CAPTURE))


@settings(deadline=None, max_examples=30)
@given(
    stories=st.lists(st.text("gggggggguel-", min_size=1, max_size=60), min_size=1, max_size=4),
    period_ms=st.sampled_from([500, 1_000, 3_000]),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    declared=st.booleans(),
)
def test_findings_do_not_depend_on_how_rows_are_cut_into_batches(
    stories: list[str], period_ms: int, cuts: list[int], declared: bool
) -> None:
    told = Told()
    for number, story in enumerate(stories):
        server = (PLC, DRIVE)[number % 2]
        told.poll(
            "g" * 10 + story,
            period_s=period_ms / 1_000,
            from_s=number / 7,
            server=server,
            address=number // 2,
        )
    told.seen(5)
    told.until(200)
    site = {"polls": DECLARED} if declared else {}
    told.polls()  # puts the rows in the order in which the decoder writes them
    coverage = told.coverage()
    starts = {"flow_starts": batch(FLOW_STARTS, told.wire.starts)}
    minutes = {"flow_minutes": batch(FLOW_MINUTES, told.wire.minutes), "coverage": coverage}
    whole = _lines([starts | minutes | {"modbus": batch(MODBUS, told.wire.transactions)}], **site)
    parts: list[dict[str, Any]] = [starts]
    edges = sorted({0, *cuts, 300})
    for first, last in pairwise(edges):
        if told.wire.transactions[first:last]:
            parts.append({"modbus": batch(MODBUS, told.wire.transactions[first:last])})
    assert _lines([*parts, minutes], **site) == whole
    assert COVERAGE.name in minutes


def test_what_finds_no_room_is_counted() -> None:
    told = Told()
    for number in range(5):
        told.poll("g" * 20 + "u" * 10, from_s=number / 10, address=number)
    polls = told.polls(limits=PollLimits(relations=3))
    assert polls.evicted == 60
    assert len(polls.judged().relations) == 3
    assert told.polls(limits=PollLimits(marks_per_relation=4)).evicted == 5 * 6


def told_live(told: Told, until_s: int, waits: Waits | None = None) -> list[tuple[int, Finding]]:
    """What an interface that brings it five seconds at a time tells, and when (s); minutes are told of when over."""
    site = compiled()
    polls = Polls(site, POLICY, "0.1.0", waits=waits)
    conversations = Conversations(site)
    told.polls()
    found = []
    polls.feed(conversations.enrich({"flow_starts": batch(FLOW_STARTS, told.wire.starts)}))
    for second in range(0, until_s, 5):
        rows = [
            one
            for one in told.wire.transactions
            if second <= (one["ts"] + (one["latency_ns"] or MINUTE) - NOON) / SECOND < second + 5
        ]
        minute = NOON + (second // 60 - 1) * MINUTE
        # Of a minute in which nothing came the decoder tells nothing.
        if second % 60 == 0 and second and minute not in told.silent_minutes:
            coverage = batch(COVERAGE, [row(COVERAGE, minute=minute, packets=1_000)])
            polls.feed(Traffic.empty(), coverage)
        if rows:
            polls.feed(conversations.enrich({"modbus": batch(MODBUS, rows)}))
        found += [(second, finding) for finding in polls.so_far(CAPTURE)]
    assert polls.so_far(CAPTURE, ended=True) == []
    return found


@pytest.mark.parametrize(("pending_s", "earliest_s"), [(60, 182), (5, 127)])
def test_an_interface_tells_an_outage_once_and_as_soon_as_it_is_known(
    pending_s: int, earliest_s: int
) -> None:
    told = Told()
    told.poll("g" * 60 + "u" * 30 + "g" * 120, period_s=1)
    waits = Waits(EngineLimits(modbus_pending_s=pending_s))
    ((when, finding),) = told_live(told, 210, waits)
    # Third bad slot after 62 s, three slots to settle, the decoder's patience and a minute; a look every five seconds.
    assert earliest_s <= when <= earliest_s + 10
    assert "unanswered" in finding.why or pending_s < 60
    assert finding.count >= 3


def test_a_sensor_that_was_blind_is_no_outage_when_it_sees_again() -> None:
    told = Told()
    told.poll("g" * 150, period_s=1)
    told.poll("g" * 160, period_s=1, from_s=450)
    told.silent_minutes = {NOON + number * MINUTE for number in range(3, 7)}
    assert told_live(told, 610) == []
    # In a capture neither.
    assert told.findings() == []


@pytest.mark.parametrize(
    ("service", "wait_s"), [("modbus", 120), ("mqtt", 120), ("s7comm", 120), ("opcua", 180)]
)
def test_what_is_known_follows_from_the_decoders_patience(service: str, wait_s: int) -> None:
    now_ns = 1_000 * SECOND
    assert Waits().known_to_ns(service, now_ns, now_ns) == now_ns - wait_s * SECOND
    assert Waits().known_to_ns(service, now_ns, 700 * SECOND) == 700 * SECOND
