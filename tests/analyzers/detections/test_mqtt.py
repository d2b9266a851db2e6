"""MQTT misused, each beside what is as close as can be and no misuse."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.records import MQTT
from tests.analyzers.detections.looking import of, only
from tests.policy.factories import HISTORIAN, NOON, OTHER_DMZ_HOST, PLANT_HOST, SECOND, SITE, Wire, compiled

BROKER = "10.35.0.30"
OWNED = compiled(
    SITE
    + """\
- id: c-mqtt
  from: plant
  to: dmz
  allow:
  - {id: r3, src: [plc1], service: mqtt, port: 1883, client_ids: [belt], reason: telemetry, owner: ot,
     expires: 2027-06-30}
"""
)


def connect(wire: Wire, client: str, client_id: str, *, at: int = NOON, **more: Any) -> None:
    """A connection of its own flow."""
    columns = {
        "packet_type": "connect",
        "direction": "client_to_broker",
        "outcome": "answered",
        "reason": "success",
        "request_frame": 4,
        "response_frame": 5,
        "confidence": "structure",
    }
    flow = wire.flow(client, BROKER, 1883)
    wire.add(MQTT, flow, ts=at, client_id=client_id, **{**columns, **more})


@pytest.mark.parametrize(("has_password", "found"), [(True, True), (False, False)])
def test_a_password_in_clear(has_password: bool, found: bool) -> None:
    wire = Wire()
    connect(wire, HISTORIAN, "hist", has_user_name=True, user_name="operator", has_password=has_password)
    assert bool(of("Q1", wire)) == found
    if found:
        assert "operator" not in only("Q1", wire).model_dump_json()


def test_a_client_id_from_two_addresses_is_the_later_ones() -> None:
    wire = Wire()
    connect(wire, HISTORIAN, "belt")
    connect(wire, OTHER_DMZ_HOST, "belt", at=NOON + SECOND)
    connect(wire, HISTORIAN, "belt", at=NOON + 2 * SECOND)
    finding = only("Q5", wire)
    assert (finding.src_ip, finding.dst_ip, finding.count) == (OTHER_DMZ_HOST, BROKER, 1)


def test_one_address_that_connects_again_and_others_with_their_own_ids_are_quiet() -> None:
    wire = Wire()
    for at in range(5):
        connect(wire, HISTORIAN, "belt", at=NOON + at * SECOND)
        connect(wire, OTHER_DMZ_HOST, "crusher", at=NOON + at * SECOND)
    assert of("Q5", wire) == []


def test_a_client_id_that_a_rule_gives_to_another_is_reported_at_once() -> None:
    wire = Wire()
    connect(wire, PLANT_HOST, "belt")
    assert of("Q5", wire) == []
    assert only("Q5", wire, OWNED).src_ip == PLANT_HOST
    own = Wire()
    connect(own, "10.20.0.11", "belt")
    assert of("Q5", own, OWNED) == []


@pytest.mark.parametrize(
    ("count", "every", "found"), [(20, SECOND, True), (19, SECOND, False), (20, 10 * SECOND, False)]
)
def test_refused_logins(count: int, every: int, found: bool) -> None:
    wire = Wire()
    for number in range(count):
        connect(
            wire,
            HISTORIAN,
            f"g{number}",
            at=NOON + number * every,
            outcome="refused",
            reason="not_authorized",
        )
    assert bool(of("Q6", wire)) == found
