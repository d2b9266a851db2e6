"""SEG-03: a conversation opened against the conduit's direction."""

from __future__ import annotations

import pytest

from policy.checks.seg_01 import UndeclaredConversation
from policy.checks.seg_03 import AgainstTheConduit
from policy.checks.seg_04 import ServiceNotAllowed
from tests.policy.factories import HISTORIAN, ICMP, PLC, SITE, Wire, compiled, conversation, only

CHECK = AgainstTheConduit()
MINE = compiled()


def _violations(wire: Wire) -> int:
    return CHECK.violations(MINE, wire.judged(MINE)).height


@pytest.mark.parametrize("role_source", ["syn", "syn_ack", "protocol"])
def test_reports_a_conversation_opened_by_the_side_that_is_asked(role_source: str) -> None:
    judged = conversation(PLC, HISTORIAN, role_source=role_source).judged(MINE)
    found = only(CHECK.violations(MINE, judged))
    assert found["reverse_conduit"] == "c-hist"
    assert "c-hist" in CHECK.why(MINE, found)
    assert UndeclaredConversation().violations(MINE, judged).is_empty()


def test_ignores_a_conversation_along_the_conduit() -> None:
    assert not _violations(conversation(HISTORIAN, PLC))


def test_ignores_it_where_both_directions_are_declared() -> None:
    site = compiled(SITE + "- {id: c-back, from: plant, to: dmz}\n")
    assert CHECK.violations(site, conversation(PLC, HISTORIAN).judged(site)).is_empty()


@pytest.mark.parametrize("role_source", ["port", "first_seen"])
def test_ignores_a_midstream_answer_whose_roles_were_guessed_wrong(role_source: str) -> None:
    # The capture begins with the controller's answer: its port 502 looks like a client's.
    wire = conversation(PLC, HISTORIAN, 50_000, client_port=502, role_source=role_source)
    assert not _violations(wire)


def test_reports_guessed_roles_with_low_confidence_where_neither_way_is_allowed() -> None:
    wire = conversation(PLC, HISTORIAN, 22, role_source="first_seen")
    assert only(CHECK.violations(MINE, wire.judged(MINE)))["confidence_rank"] == 1


def test_reports_a_seen_handshake_even_if_the_other_way_would_be_allowed() -> None:
    assert _violations(conversation(PLC, HISTORIAN, 50_000, client_port=502, role_source="syn")) == 1


def test_ignores_path_errors_that_come_back() -> None:
    wire = conversation(PLC, HISTORIAN, 0, client_port=0, ip_proto=ICMP, packets=(3, 0), payload=(0, 0))
    assert not _violations(wire)
    assert ServiceNotAllowed().violations(MINE, wire.judged(MINE)).is_empty()


def test_reports_a_ping_that_is_answered() -> None:
    wire = conversation(PLC, HISTORIAN, 0, client_port=0, ip_proto=ICMP, packets=(3, 3), payload=(0, 0))
    assert _violations(wire) == 1
