"""Modbus misused, each beside what is as close as can be and no misuse. Function codes: Application Protocol V1.1b3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.detections.modbus_rows import answered_flows
from sensors.records import ANOMALIES
from tests.analyzers.detections.looking import MINE, findings, of, only
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    OTHER_DMZ_HOST,
    PLC,
    SECOND,
    SITE,
    Wire,
    compiled,
    conversation,
    transaction,
)


def requests(
    count: int, *, every: int = SECOND, client: str = HISTORIAN, server: str = DRIVE
) -> tuple[Wire, int]:
    """A flow with so many good readings a second apart; its number."""
    wire = Wire()
    flow = wire.flow(client, server)
    for number in range(count):
        wire.modbus(flow, 3, at=NOON + number * every, address=0, quantity=10)
    return wire, flow


@pytest.mark.parametrize(
    ("sub_function", "kinds"), [(0, set()), (1, {"M5"}), (4, {"M6"}), (11, set()), (2, set())]
)
def test_only_restart_and_listen_only_of_the_diagnostics_are_reported(
    sub_function: int, kinds: set[str]
) -> None:
    wire = transaction(8, sub_function=sub_function)
    assert {finding.kind for finding in findings(wire)} == kinds


def test_a_restart_that_the_device_confirmed_is_graver() -> None:
    answered = transaction(8, server=DRIVE, sub_function=1)
    silent = transaction(8, server=DRIVE, sub_function=1, outcome="unanswered")
    assert (only("M5", answered).severity, only("M5", silent).severity) == (5, 4)


@pytest.mark.parametrize(
    ("client", "function", "more", "found"),
    [
        (OTHER_DMZ_HOST, 43, {"sub_function": 14}, True),
        (OTHER_DMZ_HOST, 17, {}, True),
        (HISTORIAN, 43, {"sub_function": 14}, False),  # declared
        (OTHER_DMZ_HOST, 43, {"sub_function": 13}, False),  # CANopen, no identity
        (OTHER_DMZ_HOST, 17, {"outcome": "exception", "exception_code": 1}, False),
        (OTHER_DMZ_HOST, 3, {}, False),
    ],
)
def test_identity_is_read_by_hosts_outside_the_inventory(
    client: str, function: int, more: dict[str, Any], found: bool
) -> None:
    assert bool(of("M7", transaction(function, client=client, **more))) == found


@pytest.mark.parametrize(("units", "found"), [(9, False), (10, True), (40, True)])
def test_units_that_are_not_there_are_probed_from_ten_on(units: int, found: bool) -> None:
    wire, flow = requests(1)
    for unit in range(units):
        wire.modbus(flow, 3, unit=unit + 10, at=NOON + unit * SECOND, outcome="exception", exception_code=11)
    probing = of("M8", wire)
    assert bool(probing) == found
    if found:
        assert (probing[0].count, probing[0].techniques) == (units, ("T0846",))


def test_polling_forty_units_that_answer_probes_nothing() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE)
    for unit in range(40):
        wire.modbus(flow, 3, unit=unit, at=NOON + unit * SECOND)
    assert of("M8", wire) == []


def test_silent_units_count_only_where_the_server_answers_others() -> None:
    answering, flow = requests(1)
    for unit in range(12):
        answering.modbus(flow, 3, unit=unit + 10, at=NOON + (unit + 1) * SECOND, outcome="unanswered")
    one_sided = Wire()
    flow = one_sided.flow(HISTORIAN, DRIVE)
    for unit in range(12):
        one_sided.modbus(flow, 3, unit=unit + 10, at=NOON + unit * SECOND, outcome="unanswered")
    assert only("M8", answering).count == 12
    assert of("M8", one_sided) == []


@pytest.mark.parametrize(("functions", "found"), [(7, False), (8, True)])
def test_functions_that_the_device_lacks_are_probed_from_eight_on(functions: int, found: bool) -> None:
    wire, flow = requests(1)
    for number in range(functions):
        wire.modbus(flow, 65 + number, at=NOON + number * SECOND, outcome="exception", exception_code=1)
    assert bool(of("M8", wire)) == found
    # What the device does not know did not program it.
    assert of("M12", wire) == []


@pytest.mark.parametrize(
    ("addresses", "every", "found"),
    [(10, SECOND, True), (9, SECOND, False), (10, 30 * SECOND, False)],
)
def test_a_sweep_is_many_refused_addresses_within_a_minute(addresses: int, every: int, found: bool) -> None:
    wire, flow = requests(1)
    for number in range(addresses):
        wire.modbus(
            flow, 3, at=NOON + number * every, address=number * 100, quantity=100, outcome="exception",
            exception_code=2,
        )  # fmt: skip
    assert bool(of("M9", wire)) == found


def test_the_same_refused_address_again_and_again_is_no_sweep() -> None:
    wire, flow = requests(1)
    for number in range(30):
        wire.modbus(
            flow, 3, at=NOON + number * SECOND, address=7, quantity=1, outcome="exception", exception_code=2
        )
    assert of("M9", wire) == []


@pytest.mark.parametrize(("count", "found"), [(20, False), (21, True)])
def test_more_than_twenty_exceptions_an_hour(count: int, found: bool) -> None:
    wire, flow = requests(1)
    for number in range(count):
        wire.modbus(flow, 3, at=NOON + number * 2 * MINUTE, outcome="exception", exception_code=3)
    assert bool(of("M10", wire)) == found


@pytest.mark.parametrize(
    ("code", "found"), [(4, True), (6, True), (10, True), (11, True), (2, False), (5, False)]
)
def test_one_grave_exception_is_enough(code: int, found: bool) -> None:
    wire = transaction(3, server=DRIVE, outcome="exception", exception_code=code)
    assert bool(of("M10", wire)) == found
    if found:
        finding = only("M10", wire)
        assert (finding.techniques, finding.possible_techniques, finding.severity) == ((), ("T0814",), 2)


def test_exceptions_that_cross_an_hour_are_counted_once() -> None:
    wire, flow = requests(1)
    for number in range(30):
        wire.modbus(flow, 3, at=NOON + number * SECOND, outcome="exception", exception_code=4)
    assert only("M10", wire).count == 30


@pytest.mark.parametrize(
    ("kind", "layer", "found"),
    [
        ("protocol_id", "modbus", True),
        ("illegal_quantity", "modbus", True),
        ("byte_count", "modbus", True),
        ("checksum", "modbus", False),
        ("illegal_length", "opcua", False),
    ],
)
def test_broken_rules_are_reported_whatever_the_device_says(kind: str, layer: str, found: bool) -> None:
    wire, flow = requests(1)
    wire.add(ANOMALIES, flow, ts=NOON, frame=9, layer=layer, kind=kind, detail="what is wrong")
    assert bool(of("M11", wire)) == found
    if found:
        finding = only("M11", wire)
        assert (finding.src_ip, finding.dst_ip, finding.evidence.operations[0].frame) == (HISTORIAN, DRIVE, 9)


@pytest.mark.parametrize(
    ("port", "service", "confidence", "found"),
    [
        (502, "ssh", "handshake", True),
        (502, "http", "structure", True),
        (502, "modbus", "structure", False),
        (502, "", "none", False),
        (502, "ssh", "port", False),
        (22, "ssh", "handshake", False),
    ],
)
def test_another_protocol_on_the_port_of_modbus(
    port: int, service: str, confidence: str, found: bool
) -> None:
    wire = conversation(HISTORIAN, DRIVE, port, service=service, confidence=confidence, frame=7)
    assert bool(of("M11", wire)) == found
    if found:
        (shown,) = only("M11", wire).evidence.operations
        assert (shown.frame, shown.text) == (7, f"{service} on the port of Modbus")


@pytest.mark.parametrize(
    ("function", "more", "found"),
    [
        (90, {}, True),
        (21, {}, True),
        (65, {}, True),
        (65, {"outcome": "exception", "exception_code": 1}, False),
        (20, {}, False),
        (43, {"sub_function": 14}, False),
    ],
)
def test_programming(function: int, more: dict[str, Any], found: bool) -> None:
    assert bool(of("M12", transaction(function, server=DRIVE, **more))) == found


def test_a_function_that_a_rule_lists_is_what_the_rule_is_for() -> None:
    wire = transaction(21, server=DRIVE)
    listed = compiled(SITE.replace("functions: [3, 4, 6, 16, 22, 23]", "functions: [3, 21]"))
    assert of("M12", wire, listed) == []
    assert of("M12", wire, MINE)


def test_answers_without_a_request_count_where_requests_are_seen() -> None:
    two_sided, flow = requests(3)
    two_sided.add(ANOMALIES, flow, ts=NOON + 5 * SECOND, frame=9, layer="modbus", kind="orphan_response")
    one_sided = Wire()
    flow = one_sided.flow(HISTORIAN, DRIVE)
    one_sided.modbus(flow, 3, outcome="orphan")
    one_sided.add(ANOMALIES, flow, ts=NOON, frame=9, layer="modbus", kind="orphan_response")
    assert only("M13", two_sided).count == 1
    assert of("M13", one_sided) == []


def test_an_answer_before_the_first_request_is_the_captures_beginning() -> None:
    wire, flow = requests(3)
    wire.add(ANOMALIES, flow, ts=NOON - SECOND, frame=1, layer="modbus", kind="orphan_response")
    assert of("M13", wire) == []


@pytest.mark.parametrize(
    ("count", "every", "found"), [(3, SECOND, True), (2, SECOND, False), (3, 4 * MINUTE, False)]
)
def test_a_server_that_had_answered_falls_silent(count: int, every: int, found: bool) -> None:
    wire, flow = requests(5)
    for number in range(count):
        wire.modbus(flow, 3, at=NOON + MINUTE + number * every, outcome="unanswered")
    assert bool(of("M14", wire)) == found


def test_silence_of_who_never_spoke_and_behind_gaps_says_nothing() -> None:
    never = Wire()
    flow = never.flow(HISTORIAN, PLC)
    behind, other = requests(5)
    for number in range(9):
        never.modbus(flow, 3, at=NOON + number * SECOND, outcome="unanswered")
        behind.modbus(other, 3, at=NOON + (9 + number) * SECOND, outcome="unanswered", after_gap=True)
    assert of("M14", never) == []
    assert of("M14", behind) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 50), st.sampled_from(["answered", "exception", "unanswered"])
        ),
        max_size=25,
    )
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_answers_by_flow_are_those_of_each_row(told: list[tuple[int, int, str]]) -> None:
    wire = Wire()
    # Two connections of one pair of hosts, and one of another.
    flows = [wire.flow(HISTORIAN, server) for server in (PLC, PLC, DRIVE)]
    for which, second, outcome in told:
        wire.modbus(flows[which], 3, at=NOON + second * SECOND, outcome=outcome)
    by_flow: dict[int, list[int]] = {}
    for which, second, outcome in told:
        if outcome != "unanswered":
            by_flow.setdefault(flows[which], []).append(NOON + second * SECOND)
    found = answered_flows(wire.traffic(MINE)).select("flow_id", "seen_ns", "latest_ns")
    assert sorted(found.rows()) == sorted((flow, min(times), max(times)) for flow, times in by_flow.items())
