"""SEG-01: a conversation between zones that no conduit declares."""

from __future__ import annotations

import pytest

from policy.checks.seg_01 import UndeclaredConversation
from tests.policy.factories import (
    HISTORIAN,
    ICMP,
    PLANT_HOST,
    PLC,
    PORT_HOST,
    PUBLIC,
    UDP,
    Wire,
    compiled,
    conversation,
    only,
    packed,
)

CHECK = UndeclaredConversation()
SITE = compiled()


def _violations(wire: Wire) -> int:
    return CHECK.violations(SITE, wire.judged(SITE)).height


def test_reports_a_conversation_between_zones_without_a_conduit() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, syn_frame=1, syn_ack_frame=2)
    found = only(CHECK.violations(SITE, wire.judged(SITE)))
    assert (found["client_zone"], found["server_zone"], found["conduit"]) == ("plant", "port", "")
    assert (found["client_ip"], found["server_port"]) == (packed(PLANT_HOST), 502)
    assert found["confirmed"] and found["confidence_rank"] == 3
    assert "SYN in frame 1, SYN-ACK in frame 2" in found["examples"][0]["text"]


def test_ignores_a_conversation_that_a_conduit_declares() -> None:
    assert not _violations(conversation(HISTORIAN, PLC, service="modbus", confidence="structure"))


def test_ignores_a_conversation_inside_a_zone() -> None:
    assert not _violations(conversation(PLANT_HOST, PLC))


@pytest.mark.parametrize(("client", "server"), [(PUBLIC, PLC), (PLC, PUBLIC)])
def test_reports_an_address_outside_every_zone(client: str, server: str) -> None:
    assert _violations(conversation(client, server)) == 1


def test_ignores_two_addresses_outside_every_zone() -> None:
    assert not _violations(conversation(PUBLIC, "198.51.100.8"))


@pytest.mark.parametrize(
    "destination",
    ["224.0.0.251", "239.1.2.3", "255.255.255.255", "10.20.0.255", "169.254.7.7", "ff02::fb", "fe80::1"],
)
def test_ignores_multicast_broadcast_and_link_local(destination: str) -> None:
    assert not _violations(conversation(PLC, destination, 5353, ip_proto=UDP))


def test_reports_the_unicast_neighbour_of_the_broadcast_address() -> None:
    # 10.50.0.254 is the last host of the port's /24.
    assert _violations(conversation(PLC, "10.50.0.254", 5353, ip_proto=UDP)) == 1


def test_ignores_the_broadcast_address_of_another_zone() -> None:
    assert not _violations(conversation(PLC, "10.50.0.255", 5353, ip_proto=UDP))


def test_ignores_a_dhcp_client_without_an_address() -> None:
    assert not _violations(conversation("0.0.0.0", PLC, 67, ip_proto=UDP))  # noqa: S104


def test_leaves_skipped_levels_to_seg_02() -> None:
    assert not _violations(conversation("10.40.0.5", PLC))


def test_leaves_the_other_direction_of_a_conduit_to_seg_03() -> None:
    assert not _violations(conversation(PLC, HISTORIAN))


def test_an_attempt_without_an_answer_is_reported_and_not_confirmed() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, established=False, payload=(0, 0), packets=(3, 0))
    assert not only(CHECK.violations(SITE, wire.judged(SITE)))["confirmed"]


def test_a_handshake_without_payload_is_not_confirmed() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, established=True, payload=(0, 0), packets=(2, 1))
    assert not only(CHECK.violations(SITE, wire.judged(SITE)))["confirmed"]


def test_a_datagram_without_an_answer_is_not_confirmed() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, ip_proto=UDP, payload=(100, 0), packets=(1, 0))
    assert not only(CHECK.violations(SITE, wire.judged(SITE)))["confirmed"]


def test_a_datagram_with_an_answer_is_confirmed() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, ip_proto=UDP, payload=(100, 100), packets=(1, 1))
    assert only(CHECK.violations(SITE, wire.judged(SITE)))["confirmed"]


@pytest.mark.parametrize(
    ("role_source", "rank"), [("syn", 3), ("syn_ack", 3), ("protocol", 2), ("port", 1), ("first_seen", 1)]
)
def test_confidence_follows_how_the_roles_are_known(role_source: str, rank: int) -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, role_source=role_source)
    assert only(CHECK.violations(SITE, wire.judged(SITE)))["confidence_rank"] == rank


def test_reports_icmp_between_zones_without_a_conduit() -> None:
    assert (
        _violations(conversation(PLANT_HOST, PORT_HOST, 0, client_port=0, ip_proto=ICMP, packets=(1, 0))) == 1
    )


def test_why_names_both_zones() -> None:
    found = only(CHECK.violations(SITE, conversation(PLANT_HOST, PORT_HOST).judged(SITE)))
    why = CHECK.why(SITE, found)
    assert "Concentrator (plant)" in why and "Port (port)" in why


def test_an_ipv6_address_is_in_its_zone() -> None:
    assert not _violations(conversation("2001:db8:20::1", "2001:db8:20::2"))
    assert _violations(conversation("2001:db8:20::1", "2001:db8:21::2")) == 1
