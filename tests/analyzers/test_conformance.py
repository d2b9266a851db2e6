"""Traffic in, findings out: deduplicated, graded, explained, and the same for any batching."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.conformance import Conformance
from analyzers.conversations import Conversations
from analyzers.findings import Confidence, Finding, canonical_line
from sensors.records import FLOW_MINUTES, FLOW_STARTS, MODBUS
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    OFFICE_HOST,
    PLANT_HOST,
    PLC,
    PORT_HOST,
    PUBLIC,
    SAFETY_PLC,
    SECOND,
    Wire,
    batch,
    compiled,
    conversation,
    transaction,
)
from tests.policy.factories import SITE as BARE

#: Every host that is not the matter is declared, and may reach the internet: each test is of one check.
SITE = BARE.replace("sensors: [s1]", "internet: allow, sensors: [s1]").replace(
    "assets:\n",
    "assets:\n- {id: host1, zone: plant, ip: 10.20.0.77}\n- {id: host2, zone: plant, ip: 10.20.0.78}\n"
    "- {id: host3, zone: dmz, ip: 10.35.0.99}\n",
)
MINE = compiled(SITE)
CHANGE = """\
changes:
- {ref: CHG-42, start: "2026-11-23T12:00:00Z", end: "2026-11-23T13:00:00Z", assets: [plc1], operations: [modbus.write]}
"""


def findings_of(wire: Wire, site: str = "") -> list[Finding]:
    mine = compiled(site) if site else MINE
    conformance = Conformance(mine, "p" * 64, "0.1.0")
    conformance.feed(wire.traffic(mine))
    return conformance.finish("c" * 64)


def only_finding(wire: Wire, site: str = "") -> Finding:
    found = findings_of(wire, site)
    assert len(found) == 1, found
    return found[0]


def test_a_quiet_capture_has_no_findings() -> None:
    assert findings_of(transaction(3, address=0, quantity=10)) == []
    assert findings_of(Wire()) == []


def test_a_finding_carries_what_its_readers_need() -> None:
    wire = transaction(16, write_address=100, write_quantity=4, values_written=[1, 2, 3, 4], frame=7)
    finding = only_finding(wire)
    assert (finding.kind, finding.site) == ("SEG-05", "mine-a")
    assert (finding.src_zone, finding.dst_zone, finding.conduit) == ("dmz", "plant", "c-hist")
    assert (finding.src_ip, finding.dst_ip, finding.dst_port) == (HISTORIAN, PLC, 502)
    assert (finding.src_asset, finding.dst_asset, finding.service) == ("hist1", "plc1", "modbus")
    assert finding.nearest_rule == "r1: only writing addresses 300–319"
    assert (finding.first_ns, finding.last_ns, finding.count) == (NOON, NOON, 1)
    assert (finding.policy_sha256, finding.evidence.capture_sha256) == ("p" * 64, "c" * 64)
    assert [operation.frame for operation in finding.evidence.operations] == [7]
    assert finding.why.endswith(".")


@pytest.mark.parametrize(
    ("server", "outcome", "severity"),
    [
        (DRIVE, "exception", 3),  # base
        (DRIVE, "answered", 4),  # confirmed
        (PLC, "exception", 4),  # C1
        (PLC, "answered", 5),  # C1, confirmed
        (SAFETY_PLC, "exception", 4),  # role safety
        (SAFETY_PLC, "unanswered", 4),
    ],
)
def test_severity_of_an_operation(server: str, outcome: str, severity: int) -> None:
    wire = transaction(16, server=server, outcome=outcome, write_address=100, write_quantity=1)
    assert only_finding(wire).severity == severity


@pytest.mark.parametrize(
    ("server", "established", "severity"), [(PORT_HOST, False, 3), (PORT_HOST, True, 4), (PUBLIC, True, 4)]
)
def test_severity_of_a_conversation(server: str, established: bool, severity: int) -> None:
    payload = (100, 100) if established else (0, 0)
    wire = conversation(PLANT_HOST, server, established=established, payload=payload)
    assert only_finding(wire).severity == severity


def test_severity_stops_at_five() -> None:
    assert only_finding(conversation(OFFICE_HOST, PLC)).severity == 5


@pytest.mark.parametrize(
    ("at", "function", "change"),
    [
        (NOON, 16, "CHG-42"),
        (NOON - 1, 16, ""),
        (NOON + 60 * MINUTE - 1, 16, "CHG-42"),
        (NOON + 60 * MINUTE, 16, ""),
        (NOON, 4, ""),  # the change is for writes
    ],
)
def test_a_change_window_tags_and_lowers_by_one(at: int, function: int, change: str) -> None:
    more: dict[str, Any] = (
        {"write_address": 100, "write_quantity": 1} if function == 16 else {"address": 500, "quantity": 1}
    )
    wire = transaction(function, at=at, **more)
    outside = only_finding(wire)
    found = findings_of(wire, SITE + CHANGE)
    # A device that has a window for writes is not written to beside it.
    assert [one.kind for one in found if one.kind != "SEG-05"] == (
        [] if change or function == 4 else ["CHG-01"]
    )
    (inside,) = (one for one in found if one.kind == "SEG-05")
    assert inside.change == change
    assert inside.severity == outside.severity - bool(change)
    assert ("CHG-42" in inside.why) == bool(change)


def test_a_change_of_another_asset_does_not_count() -> None:
    site = SITE + CHANGE.replace("assets: [plc1]", "assets: [vsd1]")
    assert only_finding(transaction(16, write_address=100, write_quantity=1), site).change == ""


def test_the_same_write_inside_and_after_the_window_are_two_findings() -> None:
    wire = transaction(16, write_address=100, write_quantity=1, at=NOON + 59 * MINUTE)
    wire.modbus(1, 16, write_address=100, write_quantity=1, at=NOON + 61 * MINUTE)
    assert {f.change for f in findings_of(wire, SITE + CHANGE)} == {"CHG-42", ""}
    assert len(findings_of(wire)) == 1


@pytest.mark.parametrize(
    ("role_source", "confidence"),
    [("syn", Confidence.HIGH), ("protocol", Confidence.MEDIUM), ("first_seen", Confidence.LOW)],
)
def test_a_poor_capture_lowers_confidence_and_never_severity(
    role_source: str, confidence: Confidence
) -> None:
    finding = only_finding(conversation(PLANT_HOST, PORT_HOST, role_source=role_source))
    assert (finding.confidence, finding.severity) == (confidence, 4)


def test_repeats_within_the_hour_join_and_later_ones_do_not() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PORT_HOST)
    for minute in (0, 30, 59, 60, 119, 120):
        wire.minute(flow, at=NOON + minute * MINUTE, frame=minute + 1)
    found = findings_of(wire)
    assert [f.count for f in found] == [3, 2, 1]
    assert [(f.first_ns - NOON) // MINUTE for f in found] == [0, 60, 120]
    assert len({f.id for f in found}) == 3


def test_the_hour_is_anchored_at_the_first_occurrence_not_at_the_clock() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PORT_HOST)
    for minute in (50, 70, 109):
        wire.minute(flow, at=NOON + minute * MINUTE)
    assert [f.count for f in findings_of(wire)] == [3]


def test_evidence_is_bounded_and_keeps_what_was_confirmed() -> None:
    wire = transaction(6, outcome="exception", write_address=0, write_quantity=1)
    for number in range(1, 100):
        outcome = "answered" if number == 99 else "exception"
        wire.modbus(
            1, 6, at=NOON + number, outcome=outcome, write_address=0, write_quantity=1, frame=number + 1
        )
    finding = only_finding(wire)
    assert (finding.count, len(finding.evidence.operations)) == (100, 16)
    assert finding.evidence.operations[-1].frame == 100
    assert [o.frame for o in finding.evidence.operations] == sorted(
        o.frame for o in finding.evidence.operations
    )


def test_other_clients_servers_ports_and_functions_are_other_findings() -> None:
    wire = Wire()
    for client, server, port in (
        (PLANT_HOST, PORT_HOST, 502),
        ("10.20.0.78", PORT_HOST, 502),
        (PLANT_HOST, "10.50.0.6", 502),
        (PLANT_HOST, PORT_HOST, 503),
    ):
        wire.minute(wire.flow(client, server, port))
    assert len(findings_of(wire)) == 4


def test_a_second_flow_of_the_same_conversation_is_the_same_finding() -> None:
    wire = Wire()
    for client_port in (50_000, 50_001):
        wire.minute(wire.flow(PLANT_HOST, PORT_HOST, client_port=client_port))
    assert only_finding(wire).count == 2


def test_the_service_is_the_decoded_one_once_it_is_known() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PORT_HOST)
    wire.minute(flow, service="")
    wire.minute(flow, at=NOON + MINUTE, service="modbus", confidence="structure")
    finding = only_finding(wire)
    assert (finding.service, finding.count) == ("modbus", 2)


def test_a_port_scan_is_folded_and_does_not_hide_another_kind() -> None:
    wire = Wire()
    for port in range(1, 501):
        wire.minute(wire.flow(PLANT_HOST, PORT_HOST, port, at=NOON + port), at=NOON + port, established=False)
    flow = wire.flow(HISTORIAN, PLC)
    wire.minute(flow, service="modbus", confidence="structure")
    wire.modbus(flow, 16, write_address=0, write_quantity=1)
    found = findings_of(wire)
    assert sum(f.kind == "SEG-01" for f in found) == 65
    assert sum(f.kind == "SEG-05" for f in found) == 1
    folded = [f for f in found if f.kind == "SEG-01" and f.count > 1]
    assert [f.count for f in folded] == [500 - 64]
    assert "436" in folded[0].why


def test_forged_sources_are_folded_too() -> None:
    wire = Wire()
    for number in range(1100):
        client = f"203.0.{113 + number // 250}.{number % 250 + 1}"
        wire.minute(wire.flow(client, PLC, at=NOON + number), at=NOON + number, established=False)
    found = findings_of(wire)
    assert len(found) == 1001
    assert sorted(f.count for f in found)[-1] == 100


def _mixed(choices: Sequence[tuple[int, int, int]]) -> Wire:
    """Flows and rows of every kind of violation, some in the same nanosecond and frame."""
    wire = Wire()
    ends = (
        (PLANT_HOST, PORT_HOST),
        (OFFICE_HOST, PLC),
        (PLC, HISTORIAN),
        (HISTORIAN, PLC),
        (HISTORIAN, DRIVE),
    )
    for client, server in ends:
        wire.flow(client, server)
    for which, at, kind in choices:
        flow, time = which % len(ends) + 1, NOON + at * 7 * MINUTE
        if kind < 3:
            wire.minute(
                flow, at=time, service=("", "http", "modbus")[kind], confidence="structure", frame=at + 1
            )
        else:
            outcome = ("answered", "exception")[kind % 2]
            wire.modbus(
                flow, 6, at=time, outcome=outcome, write_address=kind, write_quantity=1, frame=at + 1,
                values_written=[kind],
            )  # fmt: skip
    return wire


def _lines(parts: Sequence[dict[str, Any]]) -> bytes:
    conversations, conformance = Conversations(MINE), Conformance(MINE, "p" * 64, "0.1.0")
    for part in parts:
        conformance.feed(conversations.enrich(part))
    return b"".join(canonical_line(f) for f in conformance.finish("c" * 64))


@settings(deadline=None, max_examples=60)
@given(
    choices=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 8)), min_size=1, max_size=80
    ),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    late=st.booleans(),
)
def test_findings_do_not_depend_on_how_rows_are_cut_into_batches(
    choices: list[tuple[int, int, int]], cuts: list[int], late: bool
) -> None:
    wire = _mixed(choices)
    whole = _lines([wire.batches()])
    parts: list[dict[str, Any]] = [{"flow_starts": batch(FLOW_STARTS, wire.starts)}]
    edges = sorted({0, *cuts, 80})
    for first, last in pairwise(edges):
        part: dict[str, Any] = {}
        if wire.minutes[first:last]:
            part["flow_minutes"] = batch(FLOW_MINUTES, wire.minutes[first:last])
        if wire.transactions[first:last]:
            part["modbus"] = batch(MODBUS, wire.transactions[first:last])
        parts.append(part)
    if late:  # transactions are written when they are complete: an earlier one may come in a later batch
        parts[1:] = reversed(parts[1:])
    assert _lines(parts) == whole


def test_more_ties_than_examples_do_not_depend_on_batches() -> None:
    wire = transaction(6, outcome="exception", write_address=0, write_quantity=1, values_written=[0])
    for value in range(40, 0, -1):
        wire.modbus(1, 6, outcome="exception", write_address=0, write_quantity=1, values_written=[value])
    batches = wire.batches()
    modbus = batches.pop("modbus")
    cut = [batches, *({"modbus": modbus.slice(start, 7)} for start in range(0, 41, 7))]
    assert _lines(cut) == _lines([wire.batches()])


def test_the_order_of_findings_is_time_kind_id() -> None:
    wire = Wire()
    for number, (client, server) in enumerate(
        [(PLC, HISTORIAN), (OFFICE_HOST, PLC), (PLANT_HOST, PORT_HOST)]
    ):
        wire.minute(wire.flow(client, server), at=NOON - number * SECOND)
    assert [f.kind for f in findings_of(wire)] == ["SEG-01", "SEG-02", "SEG-03"]
