"""What is new of OPC UA, and of the ways by which tools are carried: beside a baseline, and beside what it knows.

Which writes, methods and services there are: OPC 10000-4 (5.10.4, 5.11.2); [MS-SMB2]; [MS-WSMV].
"""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.baseline.comparing import Baseline
from analyzers.behaviour import Behaviour
from analyzers.findings import Finding
from sensors.records import OPCUA, SERVICES
from tests.analyzers.baseline.teaching import taught
from tests.analyzers.detections.looking import MINE, findings
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    OFFICE_HOST,
    PLANT_HOST,
    PLC,
    SAFETY_PLC,
    SECOND,
    Wire,
)

LIMIT, SPEED = "ns=2;s=Mill.Limit", "ns=2;s=Mill.Speed"
START, STOP = "ns=2;s=Mill.Start", "ns=2;s=Mill.Stop"


def asked(service: str, *nodes: str, client: str = PLANT_HOST, server: str = DRIVE, **more: Any) -> Wire:
    """One call of a service, inside the plant's zone, where nothing is forbidden."""
    wire = Wire()
    columns = {
        "message_type": "MSG",
        "outcome": "answered",
        "status_name": "Good",
        "security_mode": "sign",
        "security_policy": "Basic256Sha256",
        "user_kind": "certificate",
        "secret": "none",
        "nodes": list(nodes),
        "operations": len(nodes),
        "request_frame": 5,
        "response_frame": 6,
        "confidence": "structure",
    }
    wire.add(OPCUA, wire.flow(client, server, 4840), service=service, **{**columns, **more})
    return wire


USUAL = taught(*[asked("Write", LIMIT), asked("Call", START)] * 3)


def beside(baseline: Baseline, wire: Wire) -> list[Finding]:
    behaviour = Behaviour(MINE, "p" * 64, "0", baseline)
    behaviour.feed(wire.traffic(MINE))
    return behaviour.finish("c" * 64)


def of(kind: str, baseline: Baseline, wire: Wire) -> list[Finding]:
    return [one for one in beside(baseline, wire) if one.kind == kind]


@pytest.mark.parametrize(
    ("nodes", "ends", "count"),
    [
        ([LIMIT], {}, 0),
        ([SPEED], {}, 1),
        ([LIMIT, SPEED, "i=2", LIMIT], {}, 2),
        ([LIMIT], {"client": PLC}, 1),
        ([LIMIT], {"server": SAFETY_PLC}, 1),
        ([], {}, 0),
    ],
)
def test_a_write_is_new_by_who_wrote_which_node_where(
    nodes: list[str], ends: dict[str, str], count: int
) -> None:
    found = of("O7", USUAL, asked("Write", *nodes, **ends))
    assert [one.count for one in found] == ([count] if count else [])


def test_the_finding_of_a_write_names_the_new_node_only() -> None:
    (finding,) = of("O7", USUAL, asked("Write", LIMIT, SPEED))
    assert SPEED in finding.why
    assert LIMIT not in finding.why
    assert (finding.techniques, finding.src_ip, finding.dst_ip) == (("T0855", "T0836"), PLANT_HOST, DRIVE)


def test_reading_a_node_is_no_write_of_it() -> None:
    assert beside(USUAL, asked("Read", SPEED)) == []


def test_a_write_that_was_refused_is_told_and_less_grave() -> None:
    (done,) = of("O7", USUAL, asked("Write", SPEED))
    (refused,) = of("O7", USUAL, asked("Write", SPEED, outcome="exception", status=0x8010_0000))
    (in_part,) = of("O7", USUAL, asked("Write", SPEED, operations_failed=1))
    assert (done.severity, refused.severity, in_part.severity) == (5, 4, 4)


def test_what_was_refused_while_learning_is_not_known() -> None:
    tried = taught(
        *[asked("Write", SPEED, outcome="exception"), asked("Call", STOP, outcome="exception")] * 9
    )
    assert of("O7", tried, asked("Write", SPEED))
    assert of("O8", tried, asked("Call", STOP))


@pytest.mark.parametrize(
    ("method", "ends", "found"),
    [
        (START, {}, False),
        (STOP, {}, True),
        ("i=9028", {}, True),
        (START, {"client": PLC}, True),
        (START, {"server": SAFETY_PLC}, True),
    ],
)
def test_a_call_is_new_by_who_called_which_method_where(
    method: str, ends: dict[str, str], found: bool
) -> None:
    wire = asked("Call", method, objects=["ns=2;s=Mill"], **ends)
    new = of("O8", USUAL, wire)
    assert bool(new) == found
    if found:
        assert new[0].techniques == ("T0871",)
        assert f"nodes {method}" in new[0].why
        assert "objects ns=2;s=Mill" in new[0].why


def test_an_answer_that_nobody_asked_for_calls_and_writes_nothing() -> None:
    for service in ("Write", "Call"):
        assert beside(USUAL, asked(service, SPEED, outcome="orphan", request_frame=None)) == []


def test_without_a_baseline_nothing_is_new() -> None:
    wires = (asked("Write", SPEED), asked("Call", STOP), spoke("smb"))
    assert {"O7", "O8", "G4"}.isdisjoint(one.kind for wire in wires for one in findings(wire))


def spoke(
    service: str,
    client: str = PLANT_HOST,
    server: str = DRIVE,
    *,
    port: int = 445,
    confidence: str = "handshake",
    minutes: int = 1,
    **said: Any,
) -> Wire:
    """A conversation of so many minutes; `said`: what the service said of itself in the first of them."""
    wire = Wire()
    flow = wire.flow(client, server, port)
    for number in range(minutes):
        wire.minute(flow, at=NOON + number * MINUTE, service=service, confidence=confidence)
    if said:
        wire.add(
            SERVICES,
            flow,
            ts=NOON + SECOND,
            service=service,
            confidence=confidence,
            frame=9,
            login="yes",
            **said,
        )
    return wire


SHARED = taught(*[spoke("smb")] * 3, spoke("http", port=80, minutes=3))


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (spoke("smb"), False),
        # By structure: another port is the same conversation, and a port alone is none.
        (spoke("smb", port=4_450), False),
        (spoke("smb", PLC, confidence="port"), False),
        (spoke("smb", PLC), True),
        (spoke("smb", server=SAFETY_PLC, port=8_445), True),
        (spoke("smb", HISTORIAN, confidence="structure"), True),
        (spoke("smb", OFFICE_HOST), True),
        # To the DMZ or the office: no control zones.
        (spoke("smb", PLANT_HOST, HISTORIAN), False),
        (spoke("smb", PLANT_HOST, OFFICE_HOST), False),
        # Pages of the same host are known, and orders are something else.
        (spoke("http", port=80), False),
        (spoke("winrm", port=80), True),
        (spoke("rdp", PLC, port=3_389), False),
    ],
)
def test_new_ways_into_a_control_zone(wire: Wire, found: bool) -> None:
    assert bool(of("G4", SHARED, wire)) == found


def test_a_connection_that_never_came_about_carries_no_tools() -> None:
    wire = Wire()
    wire.minute(wire.flow(PLC, DRIVE, 445), service="smb", confidence="handshake", established=False)
    assert of("G4", SHARED, wire) == []


@pytest.mark.parametrize(
    ("detail", "title"),
    [
        ("share \\\\vsd1\\ADMIN$", "new SMB, as PsExec uses it, into a control zone"),
        ("share \\\\vsd1\\IPC$; pipe svcctl", "new SMB, as PsExec uses it, into a control zone"),
        ("share \\\\vsd1\\recipes", "new SMB into a control zone"),
    ],
)
def test_the_finding_says_what_was_opened_and_counts_minutes(detail: str, title: str) -> None:
    wire = spoke("smb", PLC, minutes=3, version="SMB 3.0.2", user="PLANT\\ana", detail=detail)
    (finding,) = of("G4", SHARED, wire)
    assert (finding.title, finding.count, finding.techniques) == (title, 3, ("T0867",))
    assert f"SMB 3.0.2, {detail}, user PLANT\\ana" in finding.why
    assert of("G4", SHARED, spoke("smb", detail=detail)) == []


def test_conversations_do_not_depend_on_how_batches_are_cut() -> None:
    traffic = spoke("smb", PLC, minutes=4, detail="share \\\\vsd1\\ADMIN$").traffic(MINE)
    whole, parts = (Behaviour(MINE, "p", "0", SHARED) for _ in range(2))
    whole.feed(traffic)
    parts.feed(type(traffic).of(services=traffic.services))
    for number in range(traffic.flow_minutes.height):
        parts.feed(type(traffic).of(flow_minutes=traffic.flow_minutes.slice(number, 1)))
    assert parts.finish("c") == whole.finish("c") != []
