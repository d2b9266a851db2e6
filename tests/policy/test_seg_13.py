"""SEG-13: cleartext across a conduit that demands protection."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from policy.checks.seg_13 import Cleartext
from sensors.records import OPCUA, SERVICES
from tests.policy.factories import HISTORIAN, PLANT_HOST, PLC, SITE, UDP, Wire, compiled, conversation, only

CHECK = Cleartext()
ANY = "  - {id: r9, src: [hist1], dst: [plc1]}\n"
MQTT = "  - {id: r7, src: [hist1], dst: [plc1], service: mqtt, port: 1883, tls: true}\n"
OPC = "  - {id: r8, src: [hist1], dst: [plc1], service: opcua, port: 4840, min_mode: Sign}\n"


def _site(*rules: str, deny: bool = False) -> str:
    text = SITE.replace("- id: c-office", "".join(rules) + "- id: c-office")
    return text.replace("  to: plant\n", "  to: plant\n  cleartext: deny\n", 1) if deny else text


def _found(site: str, wire: Wire) -> pl.DataFrame:
    mine = compiled(site)
    return CHECK.violations(mine, wire.judged(mine))


def _spoken(service: str, port: int, confidence: str = "handshake", **more: Any) -> Wire:
    return conversation(HISTORIAN, PLC, port, service=service, confidence=confidence, **more)


def _session(mode: str, called: str = "ActivateSession") -> Wire:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 4840)
    wire.minute(flow, service="opcua", confidence="handshake")
    wire.add(
        OPCUA, flow, service=called, message_type="MSG", security_mode=mode, user_kind="anonymous",
        outcome="answered", confidence="handshake", request_frame=5,
    )  # fmt: skip
    return wire


def test_reports_mqtt_in_clear_where_the_rule_wants_tls() -> None:
    found = only(_found(_site(MQTT), _spoken("mqtt", 1883)))
    assert found["examples"][0]["nearest"] == "r7: only in TLS"
    assert CHECK.title_of(found).startswith("an MQTT session in clear")
    assert "Rule r7 of conduit c-hist allows this conversation only in TLS" in CHECK.why(
        compiled(_site(MQTT)), found
    )


def test_ignores_mqtt_in_tls_and_where_no_rule_demands_it() -> None:
    assert _found(_site(MQTT), _spoken("mqtt-tls", 1883)).is_empty()
    assert _found(_site(MQTT.replace(", tls: true", "")), _spoken("mqtt", 1883)).is_empty()
    # One rule that allows it as it is, is enough.
    assert _found(_site(MQTT, ANY), _spoken("mqtt", 1883)).is_empty()


@pytest.mark.parametrize(
    ("mode", "fires"), [("none", 1), ("sign", 0), ("sign_and_encrypt", 0), ("unknown", 0)]
)
def test_opcua_sessions_without_security(mode: str, fires: int) -> None:
    assert _found(_site(OPC), _session(mode)).height == fires
    assert _found(_site(OPC.replace(", min_mode: Sign", "")), _session(mode)).is_empty()
    assert _found(_site(OPC.replace("Sign", '"None"')), _session(mode)).is_empty()


def test_asking_an_opcua_server_for_its_endpoints_needs_no_security() -> None:
    assert _found(_site(OPC), _session("none", "GetEndpoints")).is_empty()


@pytest.mark.parametrize(("service", "port"), [("telnet", 23), ("ftp", 21), ("http", 80), ("mqtt", 1883)])
def test_a_conduit_that_denies_cleartext_denies_it_whatever_a_rule_allows(service: str, port: int) -> None:
    found = only(_found(_site(ANY, deny=True), _spoken(service, port)))
    assert "Conduit c-hist has `cleartext: deny`" in CHECK.why(compiled(_site(ANY, deny=True)), found)
    assert _found(_site(ANY), _spoken(service, port)).is_empty()


def test_a_port_is_not_a_protocol() -> None:
    assert _found(_site(ANY, deny=True), _spoken("telnet", 23, confidence="port")).is_empty()
    assert _found(_site(ANY, deny=True), _spoken("ssh", 23)).is_empty()


@pytest.mark.parametrize(("version", "fires"), [("SNMPv1", 1), ("SNMPv2c", 1), ("SNMPv3", 0)])
def test_snmp_tells_by_its_version(version: str, fires: int) -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 161, ip_proto=UDP)
    wire.minute(flow, service="snmp", confidence="structure")
    wire.add(SERVICES, flow, service="snmp", version=version, confidence="structure", frame=3)
    assert _found(_site(ANY, deny=True), wire).height == fires
    assert _found(_site(ANY), wire).is_empty()


def test_what_stays_in_its_zone_crosses_no_conduit() -> None:
    wire = conversation(PLANT_HOST, PLC, 23, service="telnet", confidence="handshake")
    assert _found(_site(ANY, deny=True), wire).is_empty()
