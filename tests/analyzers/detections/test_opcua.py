"""OPC UA exposed and misused, each beside what is as close as can be and no misuse. Status codes: OPC 10000-6, A.2."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.records import OPCUA
from tests.analyzers.detections.looking import findings, of, only
from tests.policy.factories import DRIVE, HISTORIAN, NOON, OFFICE_HOST, PLC, SAFETY_PLC, SECOND, Wire

REFUSED = 0x801F_0000


def call(wire: Wire, flow: int, service: str, *, at: int = NOON, **more: Any) -> None:
    """A service call of a flow, on a channel without security where nothing else is said."""
    columns = {
        "message_type": "MSG",
        "outcome": "answered",
        "security_mode": "none",
        "security_policy": "None",
        "user_kind": "unknown",
        "secret": "none",
        "request_frame": 5,
        "response_frame": 6,
        "confidence": "structure",
    }
    wire.add(OPCUA, flow, ts=at, service=service, **{**columns, **more})


def calling(service: str, client: str = HISTORIAN, server: str = DRIVE, **more: Any) -> Wire:
    wire = Wire()
    call(wire, wire.flow(client, server, 4840), service, **more)
    return wire


def test_a_session_without_security_counts_where_better_is_to_be_had() -> None:
    alone = calling("CreateSession")
    beside = calling("CreateSession")
    call(beside, beside.flow(HISTORIAN, PLC, 4840), "Read", security_mode="sign", at=NOON + SECOND)
    elsewhere = calling("CreateSession")
    call(elsewhere, elsewhere.flow(DRIVE, HISTORIAN, 4840), "Read", security_mode="sign")
    assert of("O1", alone) == []
    assert only("O1", beside).count == 1
    assert of("O1", elsewhere) == []


def test_discovery_needs_no_security() -> None:
    wire = calling("GetEndpoints")
    call(wire, 1, "Read", security_mode="sign_and_encrypt")
    assert of("O1", wire) == []


@pytest.mark.parametrize(("secret", "found"), [("clear", True), ("encrypted", False), ("none", False)])
def test_a_password_in_clear(secret: str, found: bool) -> None:
    assert bool(of("O2", calling("ActivateSession", user_kind="user_name", secret=secret))) == found


@pytest.mark.parametrize(
    ("user_kind", "outcome", "found"),
    [("anonymous", "answered", True), ("anonymous", "exception", False), ("user_name", "answered", False)],
)
def test_an_anonymous_session_that_was_accepted(user_kind: str, outcome: str, found: bool) -> None:
    wire = calling("ActivateSession", user_kind=user_kind, outcome=outcome)
    assert bool(of("O3", wire)) == found


@pytest.mark.parametrize(
    ("count", "status", "found"),
    [
        (5, REFUSED, True),
        (4, REFUSED, False),
        (5, 0x8021_0000, True),
        (5, 0x8013_0000, True),
        (9, 0x8002_0000, False),
    ],
)
def test_refused_logins(count: int, status: int, found: bool) -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE, 4840)
    for number in range(count):
        call(wire, flow, "ActivateSession", at=NOON + number * SECOND, outcome="exception", status=status)
    assert bool(of("O4", wire)) == found


def test_discovery_by_a_stranger_and_of_many() -> None:
    # The historian's rule is for Modbus: it has no business with OPC UA there.
    assert only("O5", calling("FindServers")).count == 1
    # Inside a zone, declared devices may.
    assert of("O5", calling("FindServers", PLC, DRIVE)) == []
    many = Wire()
    for number, server in enumerate((DRIVE, SAFETY_PLC, "10.20.0.14")):
        call(many, many.flow(PLC, server, 4840), "GetEndpoints", at=NOON + number * SECOND)
    finding = only("O5", many)
    assert (finding.src_ip, finding.dst_ip, finding.count) == (PLC, "", 3)


@pytest.mark.parametrize(("nodes", "found"), [(10, True), (9, False)])
def test_browsing_many_nodes(nodes: int, found: bool) -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, DRIVE, 4840)
    for number in range(nodes):
        call(wire, flow, "Browse", at=NOON + number * SECOND, nodes=[f"ns=2;i={number}"])
    again = Wire()
    flow = again.flow(HISTORIAN, DRIVE, 4840)
    for number in range(30):
        call(again, flow, "Browse", at=NOON + number * SECOND, nodes=["i=85"])
    assert bool(of("O6", wire)) == found
    assert of("O6", again) == []


def test_one_call_that_browses_many_nodes_is_a_walk_too() -> None:
    assert of("O6", calling("Browse", nodes=[f"ns=2;i={number}" for number in range(12)]))


@pytest.mark.parametrize(
    ("method", "found"), [("i=9028", True), ("i=16403", True), ("ns=2;s=StopRake", False), ("i=9027", False)]
)
def test_alarms_turned_off(method: str, found: bool) -> None:
    wire = calling("Call", nodes=[method], objects=["ns=2;s=Alarm"])
    assert bool(of("O9", wire)) == found
    if found:
        assert "ns=2;s=Alarm" in only("O9", wire).why


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("AddNodes", True),
        ("DeleteNodes", True),
        ("HistoryUpdate", True),
        ("HistoryRead", False),
        ("Read", False),
    ],
)
def test_nodes_and_history_changed(service: str, found: bool) -> None:
    assert bool(of("O10", calling(service))) == found


def test_a_change_that_failed_is_an_attempt() -> None:
    done, failed = calling("AddNodes", operations=1), calling("AddNodes", operations=1, operations_failed=1)
    assert (only("O10", done).severity, only("O10", failed).severity) == (5, 4)


def test_reading_by_who_may_is_quiet() -> None:
    wire = calling("Read", security_mode="sign", user_kind="certificate", nodes=["ns=2;s=Torque"])
    assert findings(wire) == []
    assert of("O5", calling("FindServers", OFFICE_HOST, DRIVE))


def shown(*certificates: str, policy: str = "Basic256Sha256", server: str = DRIVE) -> Wire:
    """Channels of a server, a second apart, with these certificates."""
    wire = Wire()
    for number, thumbprint in enumerate(certificates):
        flow = wire.flow(HISTORIAN, server, 4840, client_port=50_000 + number)
        call(
            wire, flow, "OpenSecureChannel", at=NOON + number * SECOND, message_type="OPN", security_policy=policy,
            security_mode="sign", server_certificate_thumbprint=thumbprint, request_frame=number + 1,
        )  # fmt: skip
    return wire


def test_a_server_with_another_certificate() -> None:
    finding = only("O11", shown("aa", "aa", "bb", "bb"))
    assert (finding.count, finding.evidence.operations[0].frame) == (2, 3)
    assert "another certificate" in finding.title
    assert of("O11", shown("aa", "aa", "aa")) == []
    assert of("O11", shown("aa", "", "aa")) == []


def test_servers_have_certificates_of_their_own_and_one_for_each_policy() -> None:
    wire = shown("aa")
    for policy, server in (("ECC_nistP256", DRIVE), ("Basic256Sha256", PLC)):
        (message,) = shown("bb", policy=policy, server=server).others["opcua"][1]
        flow = wire.flow(HISTORIAN, server, 4840, client_port=50_009)
        wire.others["opcua"][1].append(message | {"flow_id": flow, "ts": NOON + SECOND})
    assert of("O11", wire) == []


@pytest.mark.parametrize(
    ("mode", "at", "found"), [("sign", NOON, 1), ("none", NOON, 0), ("sign", NOON + 9 * SECOND, 0)]
)
def test_a_session_with_less_security_than_before(mode: str, at: int, found: int) -> None:
    wire = calling("Read", security_mode=mode, at=at)
    call(wire, 1, "CreateSession", at=NOON + 5 * SECOND)
    assert len(of("O11", wire)) == found


def test_less_security_than_another_client_has_is_no_downgrade() -> None:
    wire = calling("Read", client=OFFICE_HOST, security_mode="sign")
    call(wire, wire.flow(HISTORIAN, DRIVE, 4840), "CreateSession", at=NOON + SECOND)
    assert of("O11", wire) == []
