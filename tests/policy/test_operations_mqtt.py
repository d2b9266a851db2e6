"""MQTT packets against the rule r7: client edge1, publishes a/b/#, subscribes to a/cmd/+."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks.seg_05 import OperationNotAllowed
from sensors.records import MQTT
from tests.policy.factories import HISTORIAN, PLC, SITE, Wire, compiled, only

CHECK = OperationNotAllowed()
RULE = (
    "  - {id: r7, src: [hist1], dst: [plc1], service: mqtt, port: 1883, client_ids: [edge1],\n"
    '     publish: ["a/b/#"], subscribe: ["a/cmd/+"]}\n'
)


def with_rule(rule: str = RULE) -> str:
    return SITE.replace("- id: c-office", rule + "- id: c-office")


def sent(packet_type: str, **more: Any) -> Wire:
    """One packet of client edge1, answered, unless said otherwise."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC, 1883)
    wire.minute(flow, service="mqtt", confidence="handshake")
    said = {
        "direction": "client_to_broker",
        "outcome": "answered",
        "client_id": "edge1",
        "confidence": "handshake",
        "request_frame": 5,
        **more,
    }
    wire.add(MQTT, flow, packet_type=packet_type, **said)
    return wire


def found(wire: Wire, site: str | None = None) -> dict[str, Any] | None:
    mine = compiled(site or with_rule())
    violations = CHECK.violations(mine, wire.judged(mine))
    return None if violations.is_empty() else only(violations)


def test_ignores_what_the_rule_allows() -> None:
    assert found(sent("connect", will_topic="a/b/gone")) is None
    assert found(sent("publish", topic="a/b/c")) is None
    assert found(sent("subscribe", filters=["a/cmd/+", "a/cmd/x"])) is None
    assert found(sent("pingreq")) is None


def test_reports_another_client_identifier_on_all_it_does() -> None:
    for wire in (
        sent("connect", client_id="other"),
        sent("publish", client_id="other", topic="a/b/c"),
        sent("connect", client_id=""),
    ):
        violation = found(wire)
        assert violation is not None
        assert violation["examples"][0]["nearest"] == "r7: only as edge1"


def test_a_client_whose_connecting_was_not_seen_gets_the_benefit_of_the_doubt() -> None:
    assert found(sent("publish", client_id="", topic="a/b/c")) is None


def test_reports_another_topic() -> None:
    violation = found(sent("publish", topic="a/c", qos=1))
    assert violation is not None
    assert (violation["operation"], violation["confirmed"]) == ("mqtt.publish", True)
    example = violation["examples"][0]
    assert example["text"] == "publishes a/c as edge1, QoS 1, confirmed"
    assert example["nearest"] == "r7: only publishing a/b/#"
    assert CHECK.title_of(violation) == "an MQTT publication that the rule does not allow"


@pytest.mark.parametrize("outcome", ["one_way", "unanswered", "refused"])
def test_a_publication_that_nothing_confirms_is_attempted(outcome: str) -> None:
    violation = found(sent("publish", topic="a/c", qos=0, outcome=outcome, reason="not_authorized"))
    assert violation is not None
    assert not violation["confirmed"]


def test_a_topic_behind_an_unknown_alias_is_not_judged() -> None:
    assert found(sent("publish", topic="", topic_alias=3)) is None


def test_a_will_is_a_publication_to_come() -> None:
    violation = found(sent("connect", will_topic="a/c"))
    assert violation is not None
    assert violation["examples"][0]["text"].startswith("leaves a will for a/c as edge1")
    assert not violation["confirmed"]


def test_each_filter_of_a_subscription_is_judged() -> None:
    violation = found(sent("subscribe", filters=["a/cmd/x", "#", "a/b"]))
    assert violation is not None
    assert (violation["count"], violation["operation"]) == (2, "mqtt.subscribe")
    assert {example["text"] for example in violation["examples"]} == {
        "subscribes to # as edge1, accepted",
        "subscribes to a/b as edge1, accepted",
    }


def test_what_the_broker_delivers_is_not_judged() -> None:
    assert found(sent("publish", topic="x/y", direction="broker_to_client")) is None


def test_every_packet_in_clear_breaks_a_rule_that_demands_tls() -> None:
    site = with_rule(RULE.replace("port: 1883", "port: 1883, tls: true"))
    violation = found(sent("publish", topic="a/b/c"), site)
    assert violation is not None
    assert violation["examples"][0]["nearest"] == "r7: only in TLS"
    without = with_rule(RULE.replace("port: 1883", "port: 1883, tls: false"))
    assert found(sent("publish", topic="a/b/c"), without) is None


def test_any_allowing_rule_is_enough_and_two_do_not_add_up() -> None:
    other = RULE.replace("r7", "r8").replace("edge1", "edge2").replace("a/b/#", "x/#")
    site = with_rule(RULE + other)
    assert found(sent("publish", client_id="edge2", topic="x/y"), site) is None
    assert found(sent("publish", client_id="edge1", topic="x/y"), site) is not None


def test_an_empty_list_allows_nothing() -> None:
    site = with_rule(RULE.replace('subscribe: ["a/cmd/+"]', "subscribe: []"))
    violation = found(sent("subscribe", filters=["a/cmd/x"]), site)
    assert violation is not None
    assert violation["examples"][0]["nearest"] == "r7: only subscribing to nothing"
