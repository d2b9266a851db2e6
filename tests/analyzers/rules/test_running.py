from __future__ import annotations

from typing import Any

import polars as pl

from analyzers.findings import Finding, canonical_line
from analyzers.frames import frame_of
from analyzers.rules.fields import SERVICES_OF_RULES
from analyzers.rules.rule import Rule
from analyzers.rules.running import RuleRun
from sensors.records import FLOWS, OBSERVATIONS
from tests.analyzers.rules.writing import selecting, set_of
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    NOON,
    PLANT_HOST,
    PLC,
    SECOND,
    Wire,
    compiled,
    packed,
    transaction,
)

MINE = compiled()


def found(rule: Rule, wire: Wire, *, pieces: int = 1) -> list[Finding]:
    """The findings of a rule, its rows fed in so many pieces."""
    run = RuleRun(set_of(rule), MINE, "p" * 64, "0.1.0")
    rows = frame_of(wire.batches(), rule.service.table)
    size = max(1, -(-rows.height // pieces))
    for start in range(0, rows.height, size):
        run.feed(rule.service, rows.slice(start, size))
    return sorted(run.finish("c" * 64), key=lambda finding: finding.id)


def test_reports_who_did_it_where_and_when() -> None:
    wire = transaction(6, client=PLANT_HOST, server=DRIVE, frame=17, write_address=300, values_written=[7])
    rule = selecting(
        "function: 6", more="level: high\ntags: [attack.t0855]\nfields: [write_address, values_written]\n"
    )
    (finding,) = found(rule, wire)
    assert (finding.kind, finding.title) == ("rule:looked-for", "what is looked for")
    assert (int(finding.severity), finding.confidence.value) == (4, "high")
    assert (finding.src_ip, finding.dst_ip, finding.dst_port, finding.service) == (
        PLANT_HOST,
        DRIVE,
        502,
        "modbus",
    )
    assert (finding.src_zone, finding.dst_zone, finding.dst_asset) == ("plant", "plant", "vsd1")
    assert (finding.techniques, finding.count) == (("T0855",), 1)
    (operation,) = finding.evidence.operations
    assert (operation.frame, operation.ts_ns) == (17, NOON)
    assert operation.text == "function 6, write_address 300, values_written 7"
    assert rule.sha256 in finding.references[-1]


def test_ignores_what_it_does_not_match() -> None:
    assert found(selecting("function: 6"), transaction(3)) == []


def test_zones_and_conduit_are_those_of_the_policy() -> None:
    wire = transaction(3, client=HISTORIAN, server=PLC)
    (finding,) = found(selecting("client_zone: dmz"), wire)
    assert (finding.conduit, finding.src_zone, finding.dst_zone) == ("c-hist", "dmz", "plant")
    assert len(found(selecting("conduit: c-hist"), wire)) == 1
    assert found(selecting("server_zone: dmz"), wire) == []


def test_a_gap_or_a_guess_lowers_the_confidence_not_the_severity() -> None:
    rule = selecting("function: 3")
    (sure,) = found(rule, transaction(3))
    (doubtful,) = found(rule, transaction(3, after_gap=True, confidence="port"))
    assert (sure.confidence.value, doubtful.confidence.value) == ("high", "low")
    assert sure.severity == doubtful.severity


def test_repeats_join_and_pieces_do_not_matter() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PLC)
    for number in range(50):
        wire.modbus(flow, 6, at=NOON + number * 7 * SECOND, frame=1 + number)
    rule = selecting("function: 6")
    whole = found(rule, wire)
    assert [(finding.count, len(finding.evidence.operations)) for finding in whole] == [(50, 16)]
    for pieces in (2, 7, 50):
        assert [canonical_line(one) for one in found(rule, wire, pieces=pieces)] == [
            canonical_line(one) for one in whole
        ]


def test_another_text_of_a_rule_is_another_finding() -> None:
    rule, wire = selecting("function: 6"), transaction(6)
    other = Rule(**{name: getattr(rule, name) for name in Rule.__slots__} | {"sha256": "f" * 64})
    assert found(rule, wire)[0].id != found(other, wire)[0].id


def test_a_conversation_is_judged_by_its_totals() -> None:
    wire = Wire()
    wire.add(
        FLOWS, wire.flow(PLANT_HOST, "198.51.100.7", 443), ip_proto=6, role_source="syn", service="tls",
        confidence="handshake", payload_bytes_c2s=2_000_000, last_ts=NOON + SECOND, first_frame=9,
    )  # fmt: skip
    (finding,) = found(selecting("payload_bytes_c2s|gt: 1048576", "conversations"), wire)
    assert (finding.dst_ip, finding.service, finding.first_ns, finding.last_ns) == (
        "198.51.100.7", "tls", NOON, NOON + SECOND,
    )  # fmt: skip
    assert found(selecting("payload_bytes_c2s|gt: 2000000", "conversations"), wire) == []


def test_a_device_has_its_zone() -> None:
    wire = Wire()
    wire.add(OBSERVATIONS, ip=packed(PLC), kind="firmware", source="modbus", value="V3.2", frame=4)
    (finding,) = found(selecting("zone: plant\n    kind: firmware", "observations"), wire)
    assert (finding.src_ip, finding.dst_ip, finding.src_zone) == (PLC, "", "plant")
    assert finding.evidence.operations[0].text == "zone plant, kind firmware"


def test_every_service_can_be_run() -> None:
    for service in SERVICES_OF_RULES.values():
        field, wanted = ("client_ip", PLANT_HOST) if "client_ip" in service.fields else ("kind", "new")
        wire = Wire()
        talks = "flow_id" in service.table.schema().names
        kind: dict[str, Any] = {"kind": "new"} if "kind" in service.fields else {}
        kind |= {name: 5 for name in ("frame", "first_frame", "request_frame") if name in service.fields}
        wire.add(service.table, wire.flow(PLANT_HOST, PLC) if talks else None, **kind)
        rows = frame_of(wire.batches(), service.table)
        assert isinstance(rows, pl.DataFrame)
        rule = selecting(f"ts|hour: 12\n    {field}|contains: '{wanted}'", service.name)
        assert len(found(rule, wire)) == 1, service.name
