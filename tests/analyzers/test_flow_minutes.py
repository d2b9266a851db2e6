"""A flow's minute is one number, and its conversation is found, in a table or by a join alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.flow_minutes import Numbered, flow_minute

_START = datetime(2026, 11, 22, 6, tzinfo=UTC)


def numbers(pairs: list[tuple[int, int]]) -> pl.Series:
    """Of flows and minutes, at any second of these."""
    rows = pl.DataFrame(
        {
            "flow_id": pl.Series([flow for flow, _ in pairs], dtype=pl.UInt32),
            "ts": pl.Series(
                [_START + timedelta(minutes=minute, seconds=(flow + minute) % 60) for flow, minute in pairs],
                dtype=pl.Datetime("ns", "UTC"),
            ),
        }
    )
    return rows.select(flow_minute("ts")).to_series()


_PAIRS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), max_size=40)
_FAR = (2**32 - 1, 5_000_000)


@given(known=_PAIRS, asked=_PAIRS, far=st.booleans())
def test_what_is_known_is_found_and_what_is_not_is_none(
    known: list[tuple[int, int]], asked: list[tuple[int, int]], far: bool
) -> None:
    # One flow far from the others, in a minute of another decade: no table has room for what lies between.
    pairs = sorted({*known, *((_FAR,) if far else ())})
    flows = pl.DataFrame(
        {"flow_minute": numbers(pairs), "conversation": pl.Series(range(len(pairs)), dtype=pl.UInt32)}
    )
    questions = [*asked, _FAR]
    found = Numbered(flows, len(questions)).conversations(numbers(questions))
    places = {pair: place for place, pair in enumerate(pairs)}
    assert found.tolist() == [places.get(pair, -1) for pair in questions]


def test_two_flows_of_a_minute_and_two_minutes_of_a_flow_are_four_numbers() -> None:
    assert numbers([(1, 0), (2, 0), (1, 1), (2, 1)]).n_unique() == 4


@pytest.mark.parametrize("second", [0, 59])
def test_any_time_of_a_minute_is_that_minute(second: int) -> None:
    rows = pl.DataFrame({"flow_id": [7], "ts": [_START + timedelta(seconds=second)]})
    rows = rows.cast({"flow_id": pl.UInt32(), "ts": pl.Datetime("ns", "UTC")})
    assert rows.select(flow_minute("ts")).item() == numbers([(7, 0)])[0]
