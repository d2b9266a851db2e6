"""Modbus functions that program a controller: which they are, and which of them a rule lists by number."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from policy.modbus import FUNCTION_NAMES
from policy.zoning import CompiledSite

#: Write File Record: recipes as well as programs.
WRITE_FILE: Final = 21
#: Schneider Electric's own function, that downloads programs.
_PROGRAMMING: Final = 90
_ILLEGAL_FUNCTION: Final = 1


@cache
def is_programming() -> pl.Expr:
    """Function 90, function 21 (Write File Record), and private functions that were not refused as unknown."""
    function = pl.col("function")
    refused = pl.col("exception_code").fill_null(0) == _ILLEGAL_FUNCTION
    private = ~function.is_in([*FUNCTION_NAMES, _PROGRAMMING]) & ~refused
    return function.is_in([WRITE_FILE, _PROGRAMMING]) | private


def naming_function(site: CompiledSite, rows: pl.DataFrame) -> pl.Series:
    """Whether a rule that allows a row's conversation lists its Modbus function by number. Boolean.

    Rows have the columns of ROW: their service counts as recognised.
    """
    verdicts = site.rules.judge_rows(rows)
    named = [
        sorted({number for rule in verdict.rules for number in rule.rule.functions or ()})
        for verdict in site.rules.verdicts
    ]
    functions = pl.Series("named", named, dtype=pl.List(pl.UInt8)).gather(verdicts)
    listed = functions.to_frame().with_columns(rows["function"])
    return listed.select(
        pl.col("named").list.contains(pl.col("function")).fill_null(value=False).alias("found")
    )["found"]
