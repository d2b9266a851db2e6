"""SEG-11: an allow-rule that is not used. Rule r1, of the DMZ to the plant, says that it is used every day."""

from __future__ import annotations

from policy.checks.seg_11 import UnusedRule
from tests.policy.factories import (
    HISTORIAN,
    MINUTE,
    NOON,
    OFFICE_HOST,
    OTHER_DMZ_HOST,
    PLC,
    SITE,
    Wire,
    compiled,
    only,
)

CHECK = UnusedRule()
MINE = compiled(SITE.replace("reason: trending,", "reason: trending, expect_used_days: 1,"))
DAY = 1_440


def busy(minutes: int, *, server: str = OTHER_DMZ_HOST) -> Wire:
    """The office talks with the DMZ for so many minutes; nobody uses r1."""
    wire = Wire()
    flow = wire.flow(OFFICE_HOST, server, 443)
    for number in range(minutes):
        wire.minute(flow, at=NOON + number * MINUTE, frame=number + 1)
    return wire


def watched(wire: Wire, pieces: int = 1) -> list[dict[str, object]]:
    watch = CHECK.watch(MINE)
    for _ in range(pieces):
        watch.feed(wire.judged(MINE))
    return watch.violations().to_dicts()


def test_reports_a_rule_that_was_not_used_in_a_day_and_a_minute() -> None:
    (found,) = watched(busy(DAY + 1))
    assert (found["what"], found["conduit"], found["count"]) == ("r1", "c-hist", 1)
    assert (found["client_ip"], found["server_ip"]) == (bytes(16), bytes(16))
    assert "every day" in CHECK.why(MINE, found)
    assert "in 1.0 days" in CHECK.why(MINE, found)


def test_a_day_is_not_longer_than_a_day() -> None:
    assert watched(busy(DAY)) == []


def test_the_same_minutes_seen_twice_are_seen_once() -> None:
    assert watched(busy(DAY // 2 + 1), pieces=2) == []


def test_minutes_without_traffic_of_its_zones_do_not_count() -> None:
    wire = Wire()
    flow = wire.flow("198.51.100.7", "198.51.100.9", 443)
    for number in range(DAY + 1):
        wire.minute(flow, at=NOON + number * MINUTE)
    assert watched(wire) == []


def test_one_conversation_is_enough() -> None:
    wire = busy(DAY + 1)
    wire.minute(wire.flow(HISTORIAN, PLC), service="modbus", confidence="structure")
    assert watched(wire) == []


def test_a_rule_that_says_nothing_is_not_expected() -> None:
    site = compiled()
    watch = CHECK.watch(site)
    watch.feed(busy(DAY + 1).judged(site))
    assert watch.violations().is_empty()


def test_the_evidence_is_the_first_frame() -> None:
    watch = CHECK.watch(MINE)
    watch.feed(busy(DAY + 1).judged(MINE))
    found = only(watch.violations())
    assert (found["first_ns"], found["examples"][0]["frame"]) == (NOON, 1)
