"""What is learned: how often, when, by whom; what is forbidden teaches nothing; floods are bounded and counted."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.baseline.learning import Learner, merged
from policy.baseline_settings import BaselineSettings
from tests.analyzers.baseline.teaching import MINE, taught
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    OTHER_DMZ_HOST,
    PLC,
    SECOND,
    Wire,
    packed,
)

HOUR = 60 * MINUTE


def writes(*values: int, client: str = HISTORIAN, address: int = 300, every: int = SECOND) -> Wire:
    """A register written, one value after the other."""
    wire = Wire()
    flow = wire.flow(client, PLC)
    for number, value in enumerate(values):
        wire.modbus(flow, 6, at=NOON + number * every, address=address, quantity=1, values_written=[value])
    return wire


def fact(facts: pl.DataFrame, kind: str, what: str) -> dict[str, object]:
    rows = facts.filter((pl.col("kind") == kind) & (pl.col("what") == what)).to_dicts()
    assert len(rows) == 1, facts
    return rows[0]


def test_a_fact_has_count_times_hours_and_who() -> None:
    learned = fact(taught(writes(5, 7, 6, every=HOUR)).facts, "modbus.write", "unit 1, holding 300")
    assert learned == {
        "kind": "modbus.write",
        "client_ip": packed(HISTORIAN),
        "server_ip": packed(PLC),
        "ip_proto": 6,
        "server_port": 502,
        "what": "unit 1, holding 300",
        "count": 3,
        "forbidden": 0,
        "first_ns": NOON,
        "last_ns": NOON + 2 * HOUR,
        "hours": [NOON // HOUR, NOON // HOUR + 1, NOON // HOUR + 2],
        "lows": [5, 6, 7],
        "highs": [7, 6, 5],
        "step": 2,
    }


def test_what_the_policy_forbids_is_counted_apart_and_widens_no_bound() -> None:
    # Rule r1 lets the historian write 300 to 319, and no other host of the DMZ anything.
    baseline = taught(writes(1, 2, 3), writes(9_999, address=100), writes(7, client=OTHER_DMZ_HOST))
    outside = fact(baseline.facts, "modbus.write", "unit 1, holding 100")
    assert (outside["count"], outside["forbidden"], outside["lows"], outside["hours"]) == (0, 1, [], [])
    by_client = baseline.facts.filter(pl.col("what") == "unit 1, holding 300").sort("client_ip")
    assert by_client.select("count", "forbidden", "highs").rows() == [(3, 0, [3, 2, 1]), (0, 1, [])]


@pytest.mark.parametrize(
    ("function", "more", "places"),
    [
        (5, {"address": 9, "quantity": 1, "values_written": [1]}, {"unit 1, coil 9": [1]}),
        (
            16,
            {"address": 300, "quantity": 2, "values_written": [4, 5]},
            {"unit 1, holding 300": [4], "unit 1, holding 301": [5]},
        ),
        # The write of function 23 has its own address.
        (
            23,
            {
                "address": 0,
                "quantity": 9,
                "write_address": 310,
                "write_quantity": 1,
                "values_written": [8],
            },
            {"unit 1, holding 310": [8]},
        ),
        (22, {"address": 305, "and_mask": 1, "or_mask": 2}, {"unit 1, holding 305": []}),
        # Two coils, of which the value of one was kept.
        (
            15,
            {"address": 7, "quantity": 2, "values_written": [1]},
            {"unit 1, coil 7": [1], "unit 1, coil 8": []},
        ),
        (21, {}, {"unit 1, files": []}),
        (3, {"address": 0, "quantity": 9}, {}),
    ],
)
def test_a_write_is_a_fact_of_all_it_touches(
    function: int, more: dict[str, object], places: dict[str, list[int]]
) -> None:
    wire = Wire()
    wire.modbus(wire.flow("10.20.0.77", DRIVE), function, **more)  # type: ignore[arg-type]
    facts = taught(wire).facts.filter(pl.col("kind") == "modbus.write")
    assert dict(facts.select("what", "lows").iter_rows()) == places


def test_a_refused_write_teaches_nothing() -> None:
    wire = Wire()
    wire.modbus(wire.flow(HISTORIAN, PLC), 6, address=300, outcome="exception", exception_code=2)
    assert taught(wire).facts.is_empty()


def test_it_does_not_matter_how_batches_are_cut() -> None:
    values = [5, 9, 2, 2, 40, 7, 7, 1, 3, 8, 30]
    whole = taught(writes(*values)).facts
    learner = Learner(MINE, BaselineSettings())
    traffic = writes(*values).traffic(MINE)
    for start in range(0, len(values), 3):
        rows = traffic.modbus.slice(start, 3)
        learner.feed(type(traffic).of(modbus=rows))
    assert learner.learned().facts.equals(whole)


def test_facts_are_added_up_in_any_order() -> None:
    one, other = taught(writes(5, 7)).facts, taught(writes(1, 2, every=HOUR)).facts
    keys = ["kind", "what"]
    forth, back = merged(pl.concat([one, other])).sort(keys), merged(pl.concat([other, one])).sort(keys)
    assert forth.equals(back)
    assert forth.filter(pl.col("kind") == "modbus.write")["lows"].to_list() == [[1, 2, 5, 7]]


def test_a_flood_is_bounded_by_kind_and_what_had_no_room_is_counted() -> None:
    flood = Wire()
    flow = flood.flow(HISTORIAN, PLC)
    flood.modbus(flow, 3, at=NOON)
    for number in range(10):
        flood.modbus(flow, 6, at=NOON + number, address=300 + number, values_written=[1])
    flood.modbus(flow, 6, at=NOON + 99, address=300, values_written=[1])
    baseline = taught(flood, facts=4)
    kinds = dict(baseline.facts.group_by("kind").agg(pl.len()).iter_rows())
    assert kinds == {"modbus.function": 2, "modbus.write": 4}
    # Six registers had no room; the first one goes on being counted.
    assert baseline.left_out == {"modbus.write": 6}
    assert fact(baseline.facts, "modbus.write", "unit 1, holding 300")["count"] == 2
