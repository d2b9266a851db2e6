"""COV-01: a sensor that does not see what is there, beside a plant that is quiet and devices that do not answer."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from policy.checks.cov_01 import PoorSight
from sensors.records import COVERAGE
from tests.policy.changing import found
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    PLC,
    SAFETY_PLC,
    Wire,
    compiled,
    only,
)  # fmt: skip

CHECK = PoorSight()
SITE = compiled()


def _minute(wire: Wire, at: int, *, interface: int = 0, packets: int = 1_000, **more: Any) -> None:
    """What an interface saw in the minute `at`."""
    rows = wire.others.setdefault(COVERAGE.name, (COVERAGE, []))[1]
    empty = {column.name: 0 for column in COVERAGE.columns}
    rows.append(
        {**empty, "minute": NOON + at * MINUTE, "interface_id": interface, "packets": packets, **more}
    )


def _found(*wires: Wire) -> pl.DataFrame:
    return found(CHECK, *wires, mine=SITE)


@pytest.mark.parametrize(
    ("more", "fires"),
    [
        ({"dropped_packets": 2}, True),
        ({"unseen_segments": 2}, True),
        ({"dropped_packets": 1}, False),
        ({"dropped_packets": 2, "packets": 3_000}, False),
        ({}, False),
    ],
)
def test_reports_a_minute_of_which_more_than_one_packet_of_a_thousand_is_lost(
    more: dict[str, int], fires: bool
) -> None:
    wire = Wire()
    _minute(wire, 0, **more)
    assert _found(wire).is_empty() is not fires


def test_says_how_much_was_lost_and_where() -> None:
    wire = Wire()
    wire.minute(wire.flow(HISTORIAN, PLC), frame=41)
    _minute(wire, 0, interface=3, dropped_packets=30)
    violation = only(_found(wire))
    assert CHECK.title_of(violation) == "a sensor that lost part of the traffic (interface 3)"
    assert "30 dropped" in CHECK.why(SITE, violation)
    assert (violation["first_ns"], violation["examples"][0]["frame"]) == (NOON, 41)


def test_a_minute_told_in_parts_is_one() -> None:
    first, second = Wire(), Wire()
    _minute(first, 0, packets=900)
    _minute(second, 0, packets=100, dropped_packets=2)
    assert only(_found(first, second))["count"] == 1


def _sides(**more: Any) -> Wire:
    """Three conversations of a minute, the first two of them like this."""
    wire = Wire()
    for server in (PLC, DRIVE):
        wire.minute(wire.flow(HISTORIAN, server), payload=(100, 0), packets=(9, 0), **more)
    wire.minute(wire.flow(HISTORIAN, SAFETY_PLC))
    return wire


def test_reports_one_direction_that_the_other_one_acknowledges() -> None:
    violation = only(_found(_sides(unseen_segments_s2c=5)))
    assert CHECK.title_of(violation) == "a sensor that saw one direction only"
    assert "of 3 TCP conversations with payload 2 show one direction" in CHECK.why(SITE, violation)


def test_devices_that_do_not_answer_are_no_blind_sensor() -> None:
    assert _found(_sides()).is_empty()


def test_few_one_sided_conversations_of_many_are_no_blind_sensor() -> None:
    wire = _sides(unseen_segments_s2c=5)
    for number in range(3):
        wire.minute(wire.flow(HISTORIAN, PLC, client_port=50_010 + number))
    assert _found(wire).is_empty()


def _silence(*, others: bool = True, gap_bytes: int = 900, minutes: int = 3) -> Wire:
    wire = Wire()
    for at in range(minutes + 2):
        if others:
            _minute(wire, at)
    _minute(wire, 0, interface=1)
    _minute(wire, minutes + 1, interface=1, gap_bytes=gap_bytes, unseen_segments=9)
    return wire


def test_reports_a_silence_after_which_bytes_are_missing() -> None:
    violation = only(_found(_silence()))
    assert CHECK.title_of(violation) == "a sensor that was blind while traffic went on (interface 1)"
    assert (violation["first_ns"], violation["last_ns"]) == (NOON + MINUTE, NOON + 4 * MINUTE - 1)
    assert "no frame for 3 minutes" in violation["examples"][0]["text"]


def test_what_is_only_lost_is_not_called_a_silence() -> None:
    for wire in (_silence(others=False), _silence(minutes=1)):
        assert CHECK.title_of(only(_found(wire))) == "a sensor that lost part of the traffic (interface 1)"


def test_a_plant_that_stands_still_leaves_no_bytes_missing() -> None:
    wire = Wire()
    for at in range(5):
        _minute(wire, at)
    _minute(wire, 0, interface=1)
    _minute(wire, 4, interface=1)
    assert _found(wire).is_empty()
