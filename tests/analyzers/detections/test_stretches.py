"""Stretches of equal readings, held against a plain count of one reading after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.detections.poll_numbers import PollNumbers
from analyzers.detections.stretches import COUNTS, Stretches

#: Of each reading: which poll, and what was read.
Readings = list[tuple[int, int]]
#: When a stretch began, and COUNTS.
Told = tuple[int, ...]


def plain(readings: Readings) -> list[Told]:
    """What every stretch comes to, told as a person would count."""
    told: list[Told] = []
    for poll in {poll for poll, _ in readings}:
        times = [(ts, value) for ts, (one, value) in enumerate(readings) if one == poll]
        begins = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(times)) if a[1] != b[1]), len(times)]
        longest = 0
        for changes, (begin, end) in enumerate(pairwise(begins)):
            told.append((times[begin][0], changes, longest, end - begin, times[end - 1][0]))
            longest = max(longest, end - begin)
    return sorted(told)


def fed(readings: Readings, cuts: list[int]) -> list[Told]:
    """The same from batches, cut anywhere; all stretches are wanted."""
    stretches, over, place_of = Stretches(pl.lit(value=True) & (pl.col("readings") > 0)), [], dict[int, int]()
    for begin, end in pairwise(sorted({0, *cuts, len(readings)})):
        part = readings[begin:end]
        place = np.array([place_of.setdefault(poll, len(place_of)) for poll, _ in part], dtype=np.int64)
        rows = pl.DataFrame(
            {"ts": range(begin, end), "values_read": [[value, 7] for _, value in part]},
            schema={"ts": pl.Datetime("ns", "UTC"), "values_read": pl.List(pl.UInt16)},
        )
        order = np.argsort(place, kind="stable")
        over += stretches.add(rows, order, place[order])
    told = pl.concat([*over, *stretches.open()])
    return sorted(told.select(pl.col("ts").dt.epoch("ns"), *COUNTS).rows())


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_stretches_are_those_of_a_plain_count_however_batches_are_cut(
    readings: Readings, cuts: list[int]
) -> None:
    assert fed(readings, [cut for cut in cuts if cut < len(readings)]) == plain(readings)


def test_unwanted_stretches_are_not_handed_out() -> None:
    stretches = Stretches(pl.col("readings") >= 3)
    rows = pl.DataFrame(
        {"ts": range(6), "values_read": [[1], [1], [2], [2], [2], [3]]},
        schema={"ts": pl.Datetime("ns", "UTC"), "values_read": pl.List(pl.UInt16)},
    )
    (over,) = stretches.add(rows, np.arange(6), np.zeros(6, dtype=np.int64))
    assert over.select(*COUNTS).rows() == [(1, 2, 3, 4)]
    assert [left.height for left in stretches.open()] == [0]


ADDRESS = {number: bytes([0] * 10 + [255, 255, 10, 0, 0, number]) for number in range(4)}


def asked(*polls: tuple[int, int, int | None], turned: bool = False) -> pl.DataFrame:
    """Reads of (server, address, quantity): each server's on a flow of its own."""
    rows = [
        (server + 1, turned, ADDRESS[0], ADDRESS[server], 502, 1, 3, address, quantity)
        for server, address, quantity in polls
    ]
    return pl.DataFrame(
        rows,
        schema={
            "flow_id": pl.UInt32,
            "turned": pl.Boolean,
            "client_ip": pl.Binary,
            "server_ip": pl.Binary,
            "server_port": pl.UInt16,
            "unit": pl.UInt8,
            "function": pl.UInt8,
            "address": pl.UInt16,
            "quantity": pl.UInt16,
        },
        orient="row",
    )


def test_polls_are_numbered_as_they_come_and_keep_their_number() -> None:
    numbers = PollNumbers(10)
    assert numbers.of(asked((1, 0, 10), (2, 0, 10), (1, 0, 10), (1, 0, 11))).tolist() == [0, 1, 0, 2]
    assert numbers.of(asked((3, 65_535, 65_535), (1, 0, 11), (2, 0, 10))).tolist() == [3, 2, 1]


def test_a_poll_is_the_same_one_on_another_connection() -> None:
    numbers = PollNumbers(10)
    before = numbers.of(asked((1, 0, 10)))
    again = asked((1, 0, 10)).with_columns(flow_id=pl.lit(77, pl.UInt32))
    assert numbers.of(again).tolist() == before.tolist()


def test_what_is_not_said_is_told_from_every_number() -> None:
    polls = asked((1, 5, None), (1, 5, 0), (1, 5, 65_535), (1, 6, 0), (1, 5, None))
    assert PollNumbers(10).of(polls).tolist() == [0, 1, 2, 3, 0]


def test_polls_that_come_later_find_no_room_and_push_nobody_out() -> None:
    numbers = PollNumbers(2)
    assert numbers.of(asked((1, 0, 1), (2, 0, 1), (3, 0, 1), (2, 0, 1))).tolist() == [0, 1, -1, 1]
    assert numbers.of(asked((3, 0, 1), (1, 0, 1))).tolist() == [-1, 0]
