"""Operations of control protocols against rules that name them; the captures are those of real stacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from analyzers.findings import Finding
from geophone.runner import replay
from policy.checks.seg_05 import OperationNotAllowed
from policy.loader import PolicyError, load, loads
from policy.report import check_report
from policy.services import NAMED_OPERATIONS
from sensors.capture import open_capture
from sensors.records import OPERATIONS
from tests.policy.factories import HISTORIAN, PLC, SITE, Wire, compiled, only, packed
from tests.support.pcap_records import as_pcap, records

CHECK = OperationNotAllowed()
OFFICE = "- id: c-office"
RECORDED = Path(__file__).parents[1] / "sensors" / "operations" / "recorded"


def with_rule(operations: str, service: str = "s7comm") -> str:
    rule = f"  - {{id: r7, src: [hist1], dst: [plc1], service: {service}{operations}}}\n"
    return SITE.replace(OFFICE, rule + OFFICE)


def asked(name: str, kind: str, *, outcome: str = "answered", service: str = "s7comm", **more: Any) -> Wire:
    """One operation of the historian at the controller."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 102)
    wire.minute(flow, service=service, confidence="handshake")
    said = {
        "service": service,
        "operation": name,
        "operation_class": kind,
        "outcome": outcome,
        "confidence": "handshake",
        "request_frame": 5,
        "messages": 1,
        **more,
    }
    wire.add(OPERATIONS, flow, **said)
    return wire


def found(wire: Wire, operations: str, service: str = "s7comm") -> dict[str, Any] | None:
    site = compiled(with_rule(operations, service))
    violations = CHECK.violations(site, wire.judged(site))
    return None if violations.is_empty() else only(violations)


@pytest.mark.parametrize(
    ("operations", "name", "kind"),
    [
        ("", "stop", "stop"),
        (", operations: [stop]", "stop", "stop"),
        (", operations: [read]", "read variables", "read"),
        (', operations: ["Start (warm)"]', "start (warm)", "start"),
        (', operations: ["start (*)"]', "start (cold)", "start"),
        (", operations: []", "set up communication", "session"),
    ],
)
def test_ignores_what_the_rule_names(operations: str, name: str, kind: str) -> None:
    assert found(asked(name, kind), operations) is None


@pytest.mark.parametrize(
    ("operations", "name", "kind"),
    [
        (", operations: [read]", "stop", "stop"),
        (", operations: []", "read variables", "read"),
        (', operations: ["start (warm)"]', "start (cold)", "start"),
        (", operations: [read, write]", "service 0x4c", "other"),
        # A name is no pattern but for its asterisk, and no class by accident.
        (', operations: ["s.op"]', "stop", "stop"),
        (", operations: [Stop*x]", "stop", "stop"),
    ],
)
def test_reports_what_no_rule_names(operations: str, name: str, kind: str) -> None:
    violation = found(asked(name, kind), operations)
    assert violation is not None
    assert violation["operation"] == f"s7comm.{kind}"


def test_a_change_that_was_confirmed_is_worse_than_one_that_was_refused() -> None:
    done = found(asked("stop", "stop", object="P_PROGRAM"), ", operations: [read]")
    refused = found(asked("stop", "stop", outcome="exception", error_code=0x8104), ", operations: [read]")
    assert done is not None
    assert refused is not None
    assert (done["confirmed"], refused["confirmed"]) == (True, False)
    assert done["examples"][0]["text"] == "stop P_PROGRAM, confirmed"
    assert refused["examples"][0]["text"] == "stop, refused with error 33028"
    assert done["examples"][0]["nearest"] == "r7: only read"


def test_a_server_that_asks_is_held_against_the_rules_of_the_opening() -> None:
    # A master that the outstation has called: it asks, and the conduit is the caller's.
    wire = asked(
        "write", "write", service="dnp3", client_ip=packed(PLC), server_ip=packed(HISTORIAN), client_port=102,
        server_port=50_000,
    )  # fmt: skip
    assert found(wire, ", operations: [write]", "dnp3") is None
    violation = found(wire, ", operations: [read]", "dnp3")
    assert violation is not None
    assert (violation["client_ip"], violation["conduit"]) == (packed(PLC), "c-hist")


def test_a_rule_for_any_service_allows_every_operation() -> None:
    site = compiled(SITE.replace(OFFICE, "  - {id: r8, src: [hist1], dst: [plc1], port: 102}\n" + OFFICE))
    assert CHECK.violations(site, asked("stop", "stop").judged(site)).is_empty()


def test_operations_go_with_services_that_have_them() -> None:
    with pytest.raises(
        PolicyError, match=r"`operations` is for rules with `service` one of s7comm, .* limit it with"
    ):
        loads(with_rule(", operations: [read]", "modbus"))
    with pytest.raises(PolicyError, match="this one has ssh; leave `operations` out"):
        loads(with_rule(", operations: [read]", "ssh"))
    for service in NAMED_OPERATIONS:
        assert loads(with_rule(", operations: [read]", service))


def test_check_remarks_on_what_is_unlimited_and_on_words_that_are_no_class() -> None:
    def codes(operations: str) -> list[str]:
        policy = loads(with_rule(operations))
        return [
            remark.lint.code
            for remark in check_report(policy, date(2026, 11, 23)).remarks
            if "r7" in remark.lint.message
        ]

    assert "operations-unlimited" in codes("")
    assert "operation-like-a-class" in codes(", operations: [reed]")
    assert not {"operations-unlimited", "operation-like-a-class"} & set(
        codes(', operations: [read, "set clock"]')
    )


def test_a_rule_that_names_less_is_shadowed_by_one_that_names_more() -> None:
    more = with_rule(", operations: [read, write]").replace(
        OFFICE, "  - {id: r8, src: [hist1], dst: [plc1], service: s7comm, operations: [read]}\n" + OFFICE
    )
    remarks = check_report(loads(more), date(2026, 11, 23)).remarks
    assert [
        "rule r8" in remark.lint.message for remark in remarks if remark.lint.code == "shadowed-rule"
    ] == [True]


#: The ends of a recorded conversation, in two zones instead of on one machine.
_CLIENT, _SERVER = "10.35.0.10", "10.20.0.11"
_IP_AT = 14
_TCP_PORT_AT = _IP_AT + 20


def _between_zones(name: str, port: int) -> bytes:
    """A recorded capture with other addresses: whoever sends to the port is the client."""
    moved = []
    for record in records(RECORDED / f"{name}.pcap"):
        data = bytearray(record.data)
        to_server = int.from_bytes(data[_TCP_PORT_AT + 2 : _TCP_PORT_AT + 4], "big") == port
        ends = (_CLIENT, _SERVER) if to_server else (_SERVER, _CLIENT)
        data[_IP_AT + 12 : _IP_AT + 20] = b"".join(IPv4Address(end).packed for end in ends)
        moved.append(replace(record, data=bytes(data)))
    return as_pcap(moved)


@pytest.mark.parametrize(
    ("name", "service", "port", "all_that_is_said", "too_little", "missing"),
    [
        ("s7", "s7comm", 102, "read, write, program, start, stop, configure, discover",
         'read, write, discover, configure, program, "start (*)"', {"s7comm.stop": "stop P_PROGRAM, confirmed"}),
        ("iec104", "iec104", 2404, "read, write, configure", "read, configure",
         {"iec104.write": "single command point 100"}),
        ("dnp3", "dnp3", 20000, "read, write, program, restart, configure", "read, write, program, configure",
         {"dnp3.restart": "cold restart, confirmed"}),
    ],
    ids=["s7", "iec104", "dnp3"],
)  # fmt: skip
def test_a_recorded_conversation_of_real_stacks(
    name: str,
    service: str,
    port: int,
    all_that_is_said: str,
    too_little: str,
    missing: dict[str, str],
    tmp_path: Path,
) -> None:
    capture = tmp_path / "moved.pcap"
    capture.write_bytes(_between_zones(name, port))

    def reported(operations: str) -> list[Finding]:
        policy = tmp_path / "site.yaml"
        policy.write_text(with_rule(f", operations: [{operations}]", service))
        return [one for one in replay(open_capture(capture), load(policy)).findings if one.kind == "SEG-05"]

    assert reported(all_that_is_said) == []
    findings = reported(too_little)
    assert findings
    assert {one.src_ip for one in findings} == {_CLIENT}
    words = " ".join(operation.text for one in findings for operation in one.evidence.operations)
    for text in missing.values():
        assert text in words
