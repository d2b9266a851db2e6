"""SEG-04: a service the conduit does not allow."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks.seg_04 import ServiceNotAllowed
from policy.checks.seg_05 import OperationNotAllowed
from tests.policy.factories import (
    HISTORIAN,
    OFFICE_HOST,
    OTHER_DMZ_HOST,
    PLANT_HOST,
    PLC,
    SITE,
    UDP,
    Wire,
    compiled,
    conversation,
    only,
    transaction,
)

CHECK = ServiceNotAllowed()
MINE = compiled()
MODBUS: dict[str, Any] = {"service": "modbus", "confidence": "structure"}


def _violations(wire: Wire) -> int:
    return CHECK.violations(MINE, wire.judged(MINE)).height


def _nearest(wire: Wire) -> str:
    found = only(CHECK.violations(MINE, wire.judged(MINE)))
    nearest = found["examples"][0]["nearest"]
    assert nearest.partition(": ")[2] in CHECK.why(MINE, found)
    return str(nearest)


def test_ignores_what_a_rule_allows() -> None:
    assert not _violations(conversation(HISTORIAN, PLC, **MODBUS))


def test_reports_another_source() -> None:
    assert _nearest(conversation(OTHER_DMZ_HOST, PLC, **MODBUS)) == "r1: only from hist1"


def test_reports_another_destination() -> None:
    assert _nearest(conversation(HISTORIAN, PLANT_HOST, **MODBUS)) == "r1: only to plc1, sis1, vsd1"


def test_reports_the_service_on_another_port() -> None:
    assert _nearest(conversation(HISTORIAN, PLC, 503, **MODBUS)) == "r1: only on port 502"


def test_reports_another_protocol_on_the_allowed_port() -> None:
    wire = conversation(HISTORIAN, PLC, 502, service="http", confidence="structure")
    assert _nearest(wire) == "r1: only for modbus"


def test_reports_another_transport() -> None:
    assert _nearest(conversation(HISTORIAN, PLC, ip_proto=UDP, **MODBUS)) == "r1: only over TCP"


def test_reports_another_service_by_its_port() -> None:
    assert _nearest(conversation(HISTORIAN, PLC, 22)) == "r1: only for modbus and on port 502"


def test_ignores_an_attempt_on_the_allowed_port_that_carried_nothing() -> None:
    assert not _violations(conversation(HISTORIAN, PLC, established=False, payload=(0, 0)))


def test_reports_unrecognised_payload_on_the_allowed_port_with_low_confidence() -> None:
    wire = conversation(HISTORIAN, PLC, service="", confidence="none", payload=(50, 50))
    found = only(CHECK.violations(MINE, wire.judged(MINE)))
    assert found["confidence_rank"] == 1
    assert "not" in CHECK.why(MINE, found)


@pytest.mark.parametrize("payload", [(50, 0), (0, 50)])
def test_ignores_unrecognised_payload_of_one_side_only(payload: tuple[int, int]) -> None:
    assert not _violations(conversation(HISTORIAN, PLC, payload=payload))


def test_ignores_unrecognised_payload_after_a_gap() -> None:
    assert not _violations(conversation(HISTORIAN, PLC, gap_bytes_s2c=1))


def test_ignores_the_service_known_by_its_port_only() -> None:
    assert not _violations(conversation(HISTORIAN, PLC, service="modbus", confidence="port"))


def test_ignores_an_undecodable_service_on_its_usual_port() -> None:
    # r2 names https without a port: 443 counts, and TLS is not decoded.
    assert not _violations(conversation(OFFICE_HOST, HISTORIAN, 443))


def test_reports_an_undecodable_service_on_an_unusual_port() -> None:
    assert _violations(conversation(OFFICE_HOST, HISTORIAN, 444)) == 1


def test_ignores_a_decoded_service_on_any_port_where_the_rule_names_none() -> None:
    site = compiled(SITE.replace("service: modbus, port: 502", "service: modbus"))
    assert CHECK.violations(site, conversation(HISTORIAN, PLC, 1502, **MODBUS).judged(site)).is_empty()


def test_reports_everything_on_a_conduit_without_rules() -> None:
    site = compiled(SITE + "- {id: c-empty, from: plant, to: port}\n")
    found = only(CHECK.violations(site, conversation(PLC, "10.50.0.5").judged(site)))
    assert found["examples"][0]["nearest"] == ""
    assert "no rules" in CHECK.why(site, found)


@pytest.mark.parametrize(("source", "fires"), [("10.35.0.96/30", False), ("10.35.0.100/30", True)])
def test_a_rule_may_name_a_prefix(source: str, fires: bool) -> None:
    site = compiled(SITE.replace("src: [hist1]", f"src: [{source}]"))
    violations = CHECK.violations(site, conversation(OTHER_DMZ_HOST, PLC, **MODBUS).judged(site))
    assert violations.is_empty() != fires


def test_leaves_no_operation_to_seg_05_where_the_conversation_is_denied() -> None:
    judged = transaction(16, client=OTHER_DMZ_HOST, write_address=0, write_quantity=1).judged(MINE)
    assert CHECK.violations(MINE, judged).height == 1
    assert OperationNotAllowed().violations(MINE, judged).is_empty()


def test_ignores_guessed_roles_that_are_allowed_the_other_way_round() -> None:
    site = compiled(SITE + "- {id: c-back, from: plant, to: dmz, allow: [{id: r8, service: ntp}]}\n")
    wire = conversation(PLC, HISTORIAN, 50_000, client_port=502, role_source="first_seen")
    assert CHECK.violations(site, wire.judged(site)).is_empty()
    seen = conversation(PLC, HISTORIAN, 50_000, client_port=502, role_source="syn")
    assert CHECK.violations(site, seen.judged(site)).height == 1


def test_several_services_on_one_port_are_one_finding_whose_evidence_names_each() -> None:
    wire = Wire()
    for number, service in enumerate(("http", "ssh")):
        flow = wire.flow(HISTORIAN, PLC, 8080, client_port=50_000 + number)
        wire.minute(flow, service=service, confidence="structure", frame=number + 1)
    found = only(CHECK.violations(MINE, wire.judged(MINE)))
    texts = [one["text"] for one in found["examples"]]
    assert ["http, decoded" in texts[0], "ssh, decoded" in texts[1]] == [True, True]
    assert found["decoded_service"] in {"http", "ssh"}
