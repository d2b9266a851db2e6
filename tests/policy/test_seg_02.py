"""SEG-02: a level skipped."""

from __future__ import annotations

import pytest

from policy.checks.seg_01 import UndeclaredConversation
from policy.checks.seg_02 import SkippedLevel
from policy.checks.seg_03 import AgainstTheConduit
from tests.policy.factories import (
    HISTORIAN,
    OFFICE_HOST,
    PLC,
    PUBLIC,
    SITE,
    Wire,
    compiled,
    conversation,
    only,
)

CHECK = SkippedLevel()
MINE = compiled()
#: The office may ask the plant straight: unwise (a lint says so), but the policy's word.
STRAIGHT = compiled(
    SITE
    + "- {id: c-straight, from: office, to: plant, allow: [{id: r9, src: [10.40.0.5], service: modbus, port: 502}]}\n"
)


def _violations(wire: Wire, levels: str = "") -> int:
    site = compiled(SITE.replace("purdue: 4", levels)) if levels else MINE
    return CHECK.violations(site, wire.judged(site)).height


@pytest.mark.parametrize(("client", "server"), [(OFFICE_HOST, PLC), (PLC, OFFICE_HOST)])
def test_reports_office_to_control_and_back(client: str, server: str) -> None:
    found = only(CHECK.violations(MINE, conversation(client, server).judged(MINE)))
    why = CHECK.why(MINE, found)
    assert "level 4" in why and "level 2" in why


def test_ignores_the_hop_in_the_dmz() -> None:
    assert not _violations(conversation(OFFICE_HOST, HISTORIAN, 443))
    assert not _violations(conversation(HISTORIAN, PLC))


def test_ignores_a_step_from_level_3_to_2() -> None:
    assert not _violations(conversation(OFFICE_HOST, PLC), "purdue: 3")


def test_reports_level_5_to_2() -> None:
    assert _violations(conversation(OFFICE_HOST, PLC), "purdue: 5") == 1


def test_ignores_addresses_outside_every_zone() -> None:
    assert not _violations(conversation(PUBLIC, PLC))


def test_takes_the_place_of_seg_01() -> None:
    judged = conversation(OFFICE_HOST, PLC).judged(MINE)
    assert UndeclaredConversation().violations(MINE, judged).is_empty()
    assert CHECK.violations(MINE, judged).height == 1


def test_ignores_what_a_conduit_declares_in_this_direction() -> None:
    judged = conversation(OFFICE_HOST, PLC, service="modbus", confidence="structure").judged(STRAIGHT)
    assert CHECK.violations(STRAIGHT, judged).is_empty()


def test_reports_the_direction_that_the_conduit_does_not_declare_once() -> None:
    judged = conversation(PLC, OFFICE_HOST).judged(STRAIGHT)
    found = only(CHECK.violations(STRAIGHT, judged))
    assert "c-straight" in CHECK.why(STRAIGHT, found)
    assert AgainstTheConduit().violations(STRAIGHT, judged).is_empty()


def test_ignores_guessed_roles_that_are_allowed_the_other_way_round() -> None:
    wire = conversation(PLC, OFFICE_HOST, 50_000, client_port=502, role_source="first_seen")
    assert CHECK.violations(STRAIGHT, wire.judged(STRAIGHT)).is_empty()
