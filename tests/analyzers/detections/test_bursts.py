"""Windows against a count by hand, and the same for every cut and order of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.detections.bursts import SLOT_NS, Bursts
from analyzers.detections.modbus_rows import modbus
from analyzers.detections.totals import WithFirst
from tests.analyzers.detections.looking import MINE
from tests.policy.factories import DRIVE, HISTORIAN, NOON, PLC, SECOND, Wire

LEAST: Final = 4
SLOTS: Final = 6
ENDS: Final = (DRIVE, PLC)
Choice = tuple[int, int, int]


def rows(choices: Sequence[Choice]) -> pl.DataFrame:
    """Transactions: (which server, second, unit)."""
    wire = Wire()
    flows = [wire.flow(HISTORIAN, server) for server in ENDS]
    for which, second, unit in choices:
        wire.modbus(flows[which], 3, at=NOON + second * SECOND, unit=unit)
    return modbus(wire.traffic(MINE).modbus, "read")


def counted(choices: Sequence[Choice], *, by_unit: bool) -> dict[int, int]:
    """Server -> rows in windows that reach the threshold, counted by hand."""
    result: dict[int, int] = {}
    slots = [(which, (NOON + second * SECOND) // SLOT_NS, unit) for which, second, unit in choices]
    for which in range(len(ENDS)):
        mine = [(slot, unit) for server, slot, unit in slots if server == which]
        hit = set()
        for first in {slot - back for slot, _ in mine for back in range(SLOTS)}:
            inside = [(slot, unit) for slot, unit in mine if first <= slot < first + SLOTS]
            if len({unit for _, unit in inside} if by_unit else inside) >= LEAST:
                hit |= {slot for slot, _ in inside}
        total = sum(slot in hit for slot, _ in mine)
        if total:
            result[which] = total
    return result


def found(bursts: Bursts) -> list[tuple[bytes, int, int, int]]:
    columns = ("server_ip", "minute", "count", "first_ns")
    return sorted(bursts.violations().select(columns).rows())


def fed(frame: pl.DataFrame, cut: int, *, by_unit: bool, reverse: bool, lean: bool = False) -> Bursts:
    bursts = Bursts(LEAST, slots=SLOTS, totals=WithFirst() if lean else None)
    parts = [frame.slice(start, cut) for start in range(0, frame.height, cut)]
    for part in reversed(parts) if reverse else parts:
        bursts.add(part, pl.lit("one"), pl.col("unit") if by_unit else None)
    return bursts


@settings(deadline=None, max_examples=60)
@given(
    choices=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 200), st.integers(0, 6)), min_size=1, max_size=60
    ),
    cut=st.integers(1, 60),
    by_unit=st.booleans(),
    reverse=st.booleans(),
)
def test_windows_are_those_counted_by_hand_however_the_rows_come(
    choices: list[Choice], cut: int, by_unit: bool, reverse: bool
) -> None:
    frame = rows(choices)
    whole = found(fed(frame, frame.height, by_unit=by_unit, reverse=False))
    by_server: dict[bytes, int] = {}
    for server, _, count, _ in whole:
        by_server[server] = by_server.get(server, 0) + count
    addresses = rows([(which, 0, 0) for which in range(len(ENDS))])["server_ip"].to_list()
    expected = counted(choices, by_unit=by_unit)
    assert by_server == {addresses[which]: total for which, total in expected.items()}
    assert found(fed(frame, cut, by_unit=by_unit, reverse=reverse)) == whole
    lean = fed(frame, cut, by_unit=by_unit, reverse=reverse, lean=True)
    assert found(lean) == whole
    assert all(1 <= count <= 6 for count in lean.violations()["examples"].list.len())


def test_a_flood_of_different_things_keeps_a_handful_of_them() -> None:
    bursts = Bursts(LEAST, slots=SLOTS)
    bursts.add(rows([(0, 1, unit % 250) for unit in range(2_000)]), pl.lit("one"), pl.col("unit"))
    assert bursts.violations()["count"].sum() == 2_000
    assert bursts.kept == LEAST


def forged(batch: int, sources: int) -> pl.DataFrame:
    """One row each of so many clients that are seen never again."""
    addresses = [
        bytes(10) + b"\xff\xff\x0b" + (batch * sources + one).to_bytes(3, "big") for one in range(sources)
    ]
    return rows([(0, batch, 1)] * sources).with_columns(client_ip=pl.Series(addresses))


def flooded_with(kept: int | None, *, a_batch: int) -> Bursts:
    """Six batches of a hundred forged clients; one client of its own asks `a_batch` times in each."""
    bursts = Bursts(LEAST, slots=SLOTS, totals=WithFirst(), kept=kept)
    for batch in range(6):
        real = rows([(0, batch, batch * a_batch + one) for one in range(a_batch)])
        bursts.add(pl.concat([forged(batch, 100), real]), pl.lit("one"), pl.col("unit"))
    return bursts


def test_forged_clients_push_out_their_like_and_nobody_who_comes_back() -> None:
    bursts = flooded_with(50, a_batch=2)

    assert [count for _, _, count, _ in found(bursts)] == [12]
    assert bursts.evicted == 551
    assert bursts.kept <= 50 + 12


def test_nobody_is_forgotten_where_there_is_room() -> None:
    for kept in (None, 1_000):
        bursts = flooded_with(kept, a_batch=2)
        assert [count for _, _, count, _ in found(bursts)] == [12]
        assert bursts.evicted == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 120))
def test_who_is_forgotten_does_not_depend_on_the_order_of_a_batch(seed: int) -> None:
    kept = []
    for turn in (0, seed):
        bursts = Bursts(LEAST, slots=SLOTS, totals=WithFirst(), kept=50)
        frame = pl.concat([forged(0, 100), rows([(0, 0, unit) for unit in range(LEAST)])])
        bursts.add(pl.concat([frame[turn:], frame[:turn]]), pl.lit("one"), pl.col("unit"))
        kept.append((found(bursts), bursts.evicted, bursts.kept))
    assert kept[0] == kept[1]
