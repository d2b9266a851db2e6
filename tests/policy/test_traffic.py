"""What several ask of one batch is worked out once, and never of other rows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from policy.traffic import Traffic


def test_what_is_asked_twice_is_worked_out_once() -> None:
    traffic, worked = Traffic.empty(), []

    def work() -> pl.DataFrame:
        worked.append(1)
        return pl.DataFrame({"n": [len(worked)]})

    assert [traffic.once("n", work)["n"].item() for _ in range(2)] == [1, 1]
    assert traffic.once("other", work)["n"].item() == 2


def test_other_rows_begin_with_nothing_worked_out() -> None:
    traffic = Traffic.empty()
    traffic.once("rows", lambda: pl.DataFrame({"n": [1]}))
    other = replace(traffic, began_ns=7)
    assert other.once("rows", lambda: pl.DataFrame({"n": [2]}))["n"].item() == 2
