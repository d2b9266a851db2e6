"""Rows that wait: whole and in order, whatever the cut; sums of any portions are one sum."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.heaps import Heap, Sum


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_every_row_goes_out_once_and_in_its_order(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzers.heaps.ROWS_LIMIT", limit)
    out: list[pl.DataFrame] = []
    heap = Heap(("number",), out.append)
    rows = pl.DataFrame({"number": range(10), "unread": "x"})
    for begin, end in ((0, 3), (3, 3), (3, 4), (4, 10)):
        heap.add(rows[begin:end])
    heap.clear()
    assert pl.concat(out)["number"].to_list() == list(range(10))
    assert {tuple(part.columns) for part in out} == {("number",)}


def test_nothing_is_worked_on_twice_and_nothing_where_nothing_came() -> None:
    out: list[pl.DataFrame] = []
    heap = Heap(("number",), out.append)
    heap.clear()
    assert out == []
    heap.add(pl.DataFrame({"number": [1]}))
    heap.clear()
    heap.clear()
    assert [part.height for part in out] == [1]


@pytest.mark.parametrize("limit", [0, 2, 100])
def test_a_sum_is_the_same_whenever_it_is_asked_for(limit: int) -> None:
    total = Sum(lambda rows: rows.group_by("key").agg(pl.col("count").sum()), limit)
    assert total.total() is None
    for number in range(7):
        total.add(pl.DataFrame({"key": ["a", "b"], "count": [1, number]}))
        added = total.total()
        assert added is not None
        assert dict(added.rows()) == {"a": number + 1, "b": sum(range(number + 1))}
