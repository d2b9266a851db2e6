"""SEG-06: contact with a public address. Every zone of the site denies the internet, but the office."""

from __future__ import annotations

import pytest

from policy.checks.seg_06 import PublicAddress
from sensors.records import DNS, SERVICES
from tests.policy.factories import (
    HISTORIAN,
    NOON,
    OFFICE_HOST,
    PLC,
    PUBLIC,
    SECOND,
    SITE,
    TCP,
    UDP,
    Wire,
    compiled,
    conversation,
    only,
    packed,
)  # fmt: skip
from tests.policy.watching import watched

CHECK = PublicAddress()
MINE = compiled(SITE.replace("cidrs: [10.40.0.0/24]", "cidrs: [10.40.0.0/24], internet: allow"))


def _count(wire: Wire) -> int:
    return watched(CHECK, MINE, wire).height


@pytest.mark.parametrize("server", [PUBLIC, "8.8.8.8", "2001:db8::5"])
def test_reports_a_public_address(server: str) -> None:
    client = HISTORIAN if "." in server else "2001:db8:20::7"
    assert _count(conversation(client, server, 443)) == 1


@pytest.mark.parametrize("server", ["192.168.7.7", "10.99.0.1", "100.64.0.1", "172.31.0.1", "224.0.0.251"])
def test_ignores_addresses_that_are_not_public(server: str) -> None:
    assert _count(conversation(HISTORIAN, server, 443)) == 0


def test_an_attempt_that_nobody_answered_is_reported() -> None:
    wire = conversation(HISTORIAN, PUBLIC, 443, payload=(0, 0), packets=(3, 0), established=False)
    assert not only(watched(CHECK, MINE, wire))["confirmed"]


def test_a_zone_that_allows_the_internet_is_left_alone() -> None:
    assert _count(conversation(OFFICE_HOST, PUBLIC, 443)) == 0


def test_a_public_address_in_a_zone_is_known() -> None:
    site = SITE.replace(
        "zones:\n", "zones:\n- {id: cloud, purdue: 5, cidrs: [198.51.100.0/28], internet: allow}\n"
    )
    assert watched(CHECK, compiled(site), conversation(HISTORIAN, PUBLIC, 443)).is_empty()


def test_who_comes_in_from_outside_is_reported_where_it_was_answered() -> None:
    found = only(watched(CHECK, MINE, conversation(PUBLIC, PLC, 502)))
    assert CHECK.title_of(found).startswith("a contact from a public address")
    scan = conversation(PUBLIC, PLC, 502, established=False, payload=(0, 0), packets=(1, 0))
    assert _count(scan) == 0


def test_names_that_were_asked_for_are_told_and_not_counted() -> None:
    wire = Wire()
    for number in range(2):
        flow = wire.flow(HISTORIAN, PUBLIC, 443, client_port=50_000 + number)
        wire.minute(flow, at=NOON + number, service="https", confidence="handshake", frame=10)
        wire.add(SERVICES, flow, service="https", host_name="updates.example", frame=12, ts=NOON + number)
    asked = wire.flow(HISTORIAN, PLC, 53, ip_proto=UDP)
    wire.add(
        DNS, asked, query="relay.example", answer_count=2, answers=["10.0.0.1", PUBLIC], response_frame=4
    )
    other = wire.flow(OFFICE_HOST, PLC, 53, ip_proto=UDP)
    wire.add(DNS, other, query="other.example", answer_count=1, answers=[PUBLIC], response_frame=5)
    found = only(watched(CHECK, MINE, wire))
    assert (found["count"], found["ip_proto"], found["server_ip"]) == (2, TCP, packed(PUBLIC))
    why = CHECK.why(MINE, found)
    assert "relay.example" in why and "updates.example" in why and "other.example" not in why


def test_without_a_name_it_says_so() -> None:
    found = only(watched(CHECK, MINE, conversation(HISTORIAN, PUBLIC, 443)))
    assert CHECK.why(MINE, found).endswith("No name was asked for.")


def test_each_address_is_one_violation_a_minute() -> None:
    wire = Wire()
    for number in range(3):
        flow = wire.flow(HISTORIAN, f"198.51.100.{number + 1}", 443)
        wire.minute(flow)
        wire.minute(flow, at=NOON + 61 * SECOND)
    assert _count(wire) == 6
