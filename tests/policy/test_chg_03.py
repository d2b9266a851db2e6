"""CHG-03: what came with a change and outlives its deadline. CHG-1 is 12:00 to 12:10, to be gone by 12:20."""

from __future__ import annotations

import pytest

from policy.checks.chg_03 import LastingDrift
from tests.policy.changing import found, site
from tests.policy.factories import DRIVE, HISTORIAN, MINUTE, NOON, PLANT_HOST, Wire, only

CHECK = LastingDrift()
BEFORE = range(-6, 0)


def _day(new: range, *, before: range = BEFORE, client: str = PLANT_HOST, **more: object) -> Wire:
    """The historian reads the drive all day; another conversation in these minutes."""
    wire = Wire()
    usual = wire.flow(HISTORIAN, DRIVE)
    for minute in (*before, *range(30)):
        wire.minute(usual, at=NOON + minute * MINUTE)
    other = wire.flow(client, DRIVE, client_port=50_001)
    for minute in new:
        wire.minute(other, at=NOON + minute * MINUTE, frame=40, **more)  # type: ignore[arg-type]
    return wire


def test_reports_a_conversation_that_came_with_the_change_and_goes_on() -> None:
    violations = found(CHECK, _day(range(5, 23)))
    assert sorted(violations["minute"]) == [NOON + minute * MINUTE for minute in (20, 21, 22)]
    why = CHECK.why(site(), violations.row(0, named=True))
    assert "began at 2026-11-23T12:00:00Z" in why
    assert "was 2026-11-23T12:20:00Z" in why


@pytest.mark.parametrize(
    "minutes",
    [range(5, 20), range(20, 25), range(-2, 25)],
    ids=["gone-in-time", "began-after-the-deadline", "was-there-before"],
)
def test_ignores_what_did_not_come_with_it_or_is_gone(minutes: range) -> None:
    assert found(CHECK, _day(minutes)).is_empty()


def test_a_device_hardly_seen_before_says_nothing_of_what_was_usual() -> None:
    assert found(CHECK, _day(range(5, 23), before=range(-4, 0))).is_empty()


def test_knocks_that_nobody_answers_are_no_conversation() -> None:
    assert found(CHECK, _day(range(5, 23), packets=(3, 0), payload=(0, 0))).is_empty()


def test_the_order_of_batches_does_not_matter() -> None:
    late, early = _day(range(20, 23), before=range(0)), _day(range(5, 20))
    assert only(found(CHECK, late, early).head(1))["client_ip"][-1] == 77
    was_there = _day(range(-2, -1))
    assert found(CHECK, late, early, was_there).is_empty()
