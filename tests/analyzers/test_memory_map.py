"""Memory maps: what reads and writes leave behind, whatever the batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.memory_map import KEY, MemoryMaps
from policy.traffic import table_schema
from sensors.records import MODBUS

START = datetime(2026, 11, 22, 6, tzinfo=UTC)
PLC = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 11])
HMI = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 21])
ENGINEER = bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 22])


def row(second: int, function: int, **columns: Any) -> dict[str, Any]:
    """One transaction; what is not given is as a decoder would leave it."""
    empty: dict[str, Any] = dict.fromkeys(table_schema(MODBUS))
    plain = {"server_ip": PLC, "client_ip": HMI, "server_port": 502, "unit": 1, "outcome": "answered"}
    lists = {"values_read": [], "values_written": [], "ts": START + timedelta(seconds=second)}
    if columns.get("values_written") and "write_address" not in columns:
        columns["write_address"] = columns["address"]
    return {**empty, **plain, **lists, "function": function, **columns}


def maps_of(*rows: dict[str, Any], **limits: int) -> MemoryMaps:
    maps = MemoryMaps(**limits)
    maps.add(pl.DataFrame(list(rows), schema=table_schema(MODBUS)))
    return maps


def held(maps: MemoryMaps, table: str = "holding") -> dict[int, int | None]:
    """Address to value."""
    rows = maps.registers().filter(pl.col("table") == table)
    return dict(zip(rows["address"], rows["value"], strict=True))


def read(second: int, address: int, values: list[int], function: int = 3, **more: Any) -> dict[str, Any]:
    more = {"quantity": len(values), **more}
    return row(second, function, address=address, values_read=values, **more)


def write(second: int, address: int, values: list[int], function: int = 16, **more: Any) -> dict[str, Any]:
    more = {"write_quantity": len(values), **more}
    return row(second, function, address=address, values_written=values, **more)


def mask(second: int, address: int, and_mask: int, or_mask: int) -> dict[str, Any]:
    masks = {"and_mask": and_mask, "or_mask": or_mask}
    return row(second, 22, address=address, write_address=address, write_quantity=1, **masks)


def test_each_function_reads_and_writes_its_own_table() -> None:
    maps = maps_of(
        read(0, 5, [1, 0], function=1),
        read(1, 5, [0, 1], function=2),
        read(2, 5, [7, 8], function=3),
        read(3, 5, [9], function=4),
        write(4, 9, [1], function=5),
        write(5, 10, [0, 1], function=15),
        write(6, 9, [77], function=6),
        write(7, 10, [78, 79], function=16),
    )
    assert held(maps, "coils") == {5: 1, 6: 0, 9: 1, 10: 0, 11: 1}
    assert held(maps, "discrete") == {5: 0, 6: 1}
    assert held(maps, "holding") == {5: 7, 6: 8, 9: 77, 10: 78, 11: 79}
    assert held(maps, "input") == {5: 9}


def test_a_read_write_writes_first() -> None:
    both = {"write_address": 2, "values_written": [255], "write_quantity": 1}
    maps = maps_of(read(0, 1, [10, 255, 30], function=23, **both))
    (register,) = maps.registers().filter(pl.col("address") == 2).rows(named=True)
    assert (register["value"], register["written"], register["reads"], register["writes"]) == (
        255,
        False,
        1,
        1,
    )


def test_who_wrote_last_and_when() -> None:
    maps = maps_of(
        read(0, 1, [5]),
        write(1, 1, [6], client_ip=ENGINEER),
        write(2, 1, [7]),
        read(3, 1, [7], client_ip=ENGINEER),
    )
    (register,) = maps.registers().rows(named=True)
    assert register["last_writer"] == HMI
    assert register["last_write_ts"] == START + timedelta(seconds=2)
    assert register["value_ts"] == START + timedelta(seconds=3)
    assert register["first_seen"] == START
    assert (register["reads"], register["writes"], register["changes"]) == (2, 2, 2)
    assert (register["minimum"], register["maximum"]) == (5, 7)


def test_a_mask_is_applied_to_what_is_known() -> None:
    # The standard's own example (6.16): 0x12 with 0xF2 and 0x25 becomes 0x17.
    assert held(maps_of(read(0, 4, [0x12]), mask(1, 4, 0xF2, 0x25))) == {4: 0x17}


def test_a_mask_on_what_nobody_has_seen_leaves_it_unknown_until_it_is_read() -> None:
    assert held(maps_of(mask(0, 4, 0xF2, 0x25))) == {4: None}
    assert held(maps_of(mask(0, 4, 0xF2, 0x25), read(1, 4, [9]))) == {4: 9}
    # Where every bit comes from the mask, nothing has to be known.
    assert held(maps_of(mask(0, 4, 0, 0x25))) == {4: 0x25}


@pytest.mark.parametrize("outcome", ["exception", "unanswered", "orphan", "pending"])
def test_what_was_not_answered_does_not_count(outcome: str) -> None:
    assert held(maps_of(write(0, 1, [6], outcome=outcome))) == {}


def test_servers_ports_and_units_have_memories_of_their_own() -> None:
    maps = maps_of(
        read(0, 1, [1]),
        read(1, 1, [2], unit=2),
        read(2, 1, [3], server_port=4001),
        read(3, 1, [4], server_ip=HMI),
    )
    assert maps.registers()["value"].to_list() == [1, 2, 3, 4]


def test_registers_beyond_the_last_address_are_left_out() -> None:
    assert held(maps_of(read(0, 65_535, [1, 2]))) == {65_535: 1}


def test_what_has_no_room_is_counted_and_what_is_known_still_changes() -> None:
    maps = maps_of(read(0, 0, [1, 2, 3]), read(1, 0, [4, 5, 6]), registers=2)
    assert held(maps) == {0: 4, 1: 5}
    assert maps.not_kept == 2


def test_one_server_cannot_take_all_the_room() -> None:
    maps = maps_of(
        read(0, 0, [1, 2, 3]), read(1, 0, [7], server_ip=HMI), registers=10, registers_of_one_server=2
    )
    assert maps.registers()["value"].to_list() == [1, 2, 7]
    assert maps.not_kept == 1


def test_values_that_the_decoder_did_not_keep_are_counted() -> None:
    maps = maps_of(read(0, 0, [1] * 128, function=1, quantity=2000))
    assert maps.values_unseen == 2000 - 128


def one_row() -> st.SearchStrategy[dict[str, Any]]:
    values = st.lists(st.integers(0, 3), min_size=1, max_size=4)
    address = st.integers(0, 6)
    return st.one_of(
        st.builds(read, st.integers(0, 9), address, values, st.sampled_from([1, 3]), unit=st.integers(1, 2)),
        st.builds(write, st.integers(0, 9), address, values, st.sampled_from([15, 16])),
        st.builds(mask, st.integers(0, 9), address, st.integers(0, 3), st.integers(0, 3)),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(one_row(), min_size=1, max_size=12), st.lists(st.integers(1, 5), min_size=1), st.integers(1, 12)
)
def test_batches_may_be_cut_anywhere(rows: list[dict[str, Any]], cuts: list[int], room: int) -> None:
    whole = maps_of(*rows, registers=room, registers_of_one_server=8)
    parts = MemoryMaps(registers=room, registers_of_one_server=8)
    frame = pl.DataFrame(rows, schema=table_schema(MODBUS))
    at = 0
    while at < frame.height:
        for cut in cuts:
            parts.add(frame[at : at + cut])
            at += cut
    assert parts.registers().equals(whole.registers())
    assert parts.not_kept == whole.not_kept
    assert parts.registers().select(KEY).is_unique().all()
