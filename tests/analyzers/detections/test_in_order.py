"""Rows in the order in which they happened: whatever order they are complete in, and however they are cut."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest

from analyzers.behaviour import Behaviour
from analyzers.conversations import Conversations
from analyzers.detections import in_order
from analyzers.detections.in_order import HELD_NS, InOrder
from analyzers.findings import Finding
from sensors.records import MODBUS, MQTT
from tests.policy.factories import HISTORIAN, NOON, PLANT_HOST, PLC, SECOND, Wire, compiled, packed

SITE = compiled()
BROKER = "10.35.0.30"


def told(wire: Wire, table: str, order: list[int], cut: int, kind: str) -> tuple[list[Finding], int]:
    """The findings of one kind, with the rows of a table in that order and so many a batch; rows left out."""
    conversations, behaviour = Conversations(SITE), Behaviour(SITE, "p" * 64, "0.1.0")
    batches = wire.batches()
    rows = batches.pop(table)
    behaviour.feed(conversations.enrich(batches))
    for start in range(0, len(order), cut):
        behaviour.feed(conversations.enrich({table: rows.take(order[start : start + cut])}))
        # An interface asks after every batch; asking changes nothing.
        behaviour.finish("c" * 64)
    found = [finding for finding in behaviour.finish("c" * 64) if finding.kind == kind]
    return found, behaviour.evicted.get(kind, 0)


def switched() -> Wire:
    """One output, on and off, every two seconds for a minute: 31 writes, 30 of them of another value."""
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    for number in range(31):
        at, value = NOON + 2 * number * SECOND, (number + 1) % 2
        wire.modbus(flow, 5, at=at, frame=2 * number + 1, address=7, quantity=1, values_written=[value])
    return wire


def counted() -> Wire:
    """An edge node's birth and thirty messages, a second apart, of which the twentieth is missing."""
    wire = Wire()
    flow = wire.flow(PLANT_HOST, BROKER, 1883)
    for number in [*range(20), *range(21, 31)]:
        wire.add(
            MQTT,
            flow,
            ts=NOON + number * SECOND,
            request_frame=number + 1,
            client_ip=packed(PLANT_HOST),
            server_ip=packed(BROKER),
            packet_type="publish",
            direction="client_to_broker",
            outcome="acknowledged",
            confidence="structure",
            topic="spBv1.0/mine/NDATA/edge1",
            sparkplug_type="ndata" if number else "nbirth",
            sparkplug_group="mine",
            sparkplug_node="edge1",
            sparkplug_seq=number,
            sparkplug_bd_seq=None if number else 7,
        )
    return wire


CASES: list[Any] = [
    pytest.param(switched(), MODBUS.name, "M4", 30, id="M4"),
    pytest.param(counted(), MQTT.name, "Q7", 1, id="Q7"),
]


@pytest.mark.parametrize(("wire", "table", "kind", "count"), CASES)
@pytest.mark.parametrize("cut", [5, 100])
def test_answers_that_come_late_change_nothing(
    wire: Wire, table: str, kind: str, count: int, cut: int
) -> None:
    rows = wire.batches()[table].num_rows
    chance = random.Random(cut)
    # An answer may take a minute: whatever lies within one comes in any order.
    for order in (list(range(rows)), list(reversed(range(rows))), chance.sample(range(rows), rows)):
        (finding,), left_out = told(wire, table, order, cut, kind)
        assert (finding.count, left_out) == (count, 0)


def rows_at(*seconds: int) -> pl.DataFrame:
    return pl.DataFrame({"ts_ns": [NOON + one * SECOND for one in seconds], "frame": range(len(seconds))})


def times(rows: pl.DataFrame | None) -> list[int]:
    return [] if rows is None else [(at - NOON) // SECOND for at in rows["ts_ns"].to_list()]


def test_rows_are_let_go_once_nothing_can_come_before_them() -> None:
    held = InOrder(100)
    held.add(rows_at(5, 1, 3), NOON + 5 * SECOND)
    assert held.take() is None
    assert times(held.waiting()) == [1, 3, 5]
    held.add(rows_at(), NOON + HELD_NS + 4 * SECOND)
    assert times(held.take()) == [1, 3]
    assert times(held.waiting()) == [5]


def test_of_too_many_the_earliest_go_before_their_time_and_what_is_later_than_that_is_counted() -> None:
    held = InOrder(2)
    held.add(rows_at(4, 1, 3, 2), NOON + 4 * SECOND)
    assert times(held.take()) == [1, 2]
    held.add(rows_at(0, 5), NOON + 5 * SECOND)
    assert held.late == 1
    assert times(held.waiting()) == [3, 4, 5]


def test_of_one_time_the_earlier_frame_is_first_and_in_one_frame_what_was_written_first() -> None:
    held = InOrder(100)
    held.add(pl.DataFrame({"ts_ns": [7, 7, 7], "frame": [2, 1, 2], "name": ["b", "a", "c"]}), 7)
    held.add(pl.DataFrame({"ts_ns": [7, 7], "frame": [2, 1], "name": ["d", "e"]}), 7)
    waiting = held.waiting()
    assert waiting is not None
    assert waiting["name"].to_list() == ["a", "e", "b", "c", "d"]


def test_rows_are_held_for_longer_than_the_engine_waits_for_an_answer() -> None:
    from sensors.engine import EngineLimits

    limits = EngineLimits()
    assert max(limits.modbus_pending_s, limits.mqtt_pending_s) * SECOND < in_order.HELD_NS
