"""COV-02: clocks that messages tell of, right and off. A message may be late; it cannot be early."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from policy.checks.cov_02 import ClockOff
from sensors.records import MQTT, OPCUA
from tests.policy.changing import found
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    PLANT_HOST,
    PLC,
    SECOND,
    Wire,
    compiled,
    only,
)  # fmt: skip

CHECK = ClockOff()
SITE = compiled()
BROKER = "10.35.0.30"


def _node(*ahead_s: float, wire: Wire | None = None, client: str = PLANT_HOST, **more: Any) -> Wire:
    """Readings of an edge node, ten seconds apart, whose clock is so far ahead."""
    wire = wire or Wire()
    flow = wire.flow(client, BROKER, 1883)
    for number, seconds in enumerate(ahead_s):
        at = NOON + number * 10 * SECOND
        columns = {
            "sparkplug_type": "ndata",
            "direction": "client_to_broker",
            "request_frame": number + 1,
            **more,
        }
        wire.add(
            MQTT, flow, ts=at, sparkplug_ts=at + round(seconds * SECOND), packet_type="publish", **columns
        )
    return wire


def _server(*texts: str, wire: Wire | None = None, node: str = "i=2258") -> Wire:
    """A server asked for its time at noon, and what it answers."""
    wire = wire or Wire()
    flow = wire.flow(HISTORIAN, PLC, 4840)
    for number, text in enumerate(texts):
        wire.add(
            OPCUA, flow, ts=NOON + number * SECOND, service="Read", nodes=[node], values_read=[text],
            request_frame=number + 1,
        )  # fmt: skip
    return wire


def _found(wire: Wire) -> pl.DataFrame:
    return found(CHECK, wire, mine=SITE)


def test_reports_a_clock_that_is_ahead() -> None:
    violation = only(_found(_node(90, 90, 90)))
    assert "90.0 s ahead of the capture's clock" in CHECK.why(SITE, violation)
    # Whose clock it is nobody else tells.
    assert violation["confidence_rank"] == 2


def test_reports_a_clock_that_is_behind_with_less_confidence() -> None:
    violation = only(_found(_node(-61, -300, -90)))
    assert "61.0 s behind" in CHECK.why(SITE, violation)
    assert violation["confidence_rank"] == 1


@pytest.mark.parametrize(
    "wire",
    [
        _node(0, -0.1, -1),
        _node(-300, -90, 0),
        _node(90, 90, 4),
        _node(90, 90),
        _node(90, 90, 90, direction="broker_to_client"),
        _node(90, 90, 90, dup=True),
    ],
    ids=["right", "late-and-fresh", "not-all-ahead", "too-few", "passed-on", "sent-again"],
)
def test_ignores_what_a_right_clock_may_say(wire: Wire) -> None:
    assert _found(wire).is_empty()


def test_another_sender_that_is_right_makes_it_surer() -> None:
    wire = _node(0, 0, 0, wire=_node(90, 90, 90), client=DRIVE)
    violation = only(_found(wire))
    assert violation["confidence_rank"] == 3
    assert "while the clocks of others (1) are the capture's" in violation["examples"][0]["text"]


def test_where_all_are_off_alike_it_is_the_capture() -> None:
    wire = _node(90.5, 91, 90, wire=_node(90, 90, 90), client=DRIVE)
    violation = only(_found(wire))
    assert CHECK.title_of(violation) == "a clock that is off, likely the capture's own"
    assert not any(violation["client_ip"])


def test_a_server_that_is_asked_for_its_time_tells_it() -> None:
    told = ("2026-11-23T12:01:40Z", "2026-11-23T12:01:41.5Z", "2026-11-23T12:01:42Z")
    violation = only(_found(_server(*told)))
    assert violation["client_ip"][-4:] == bytes([10, 20, 0, 11])
    assert "by OPC UA" in violation["examples"][0]["text"]
    assert _found(_server("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", "2026-11-23T12:00:02Z")).is_empty()
    assert _found(_server(*told, node="i=2257")).is_empty()
    assert _found(_server("noon", "noon", "noon")).is_empty()


def test_slots_of_five_minutes_are_counted() -> None:
    wire = Wire()
    for slot in (0, 1):
        flow = wire.flow(PLANT_HOST, BROKER, 1883)
        for number in range(3):
            at = NOON + slot * 5 * MINUTE + number * SECOND
            wire.add(
                MQTT, flow, ts=at, sparkplug_ts=at + 90 * SECOND, sparkplug_type="ndata", request_frame=1,
                direction="client_to_broker",
            )  # fmt: skip
    assert _found(wire)["count"].sum() == 2
