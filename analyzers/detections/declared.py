"""What the policy declares of the rows that a detection looks at: rules that allow them, assets it knows.

Rows have the columns of ROW: their service counts as recognised.
"""

from __future__ import annotations

import polars as pl

from policy.zoning import CompiledSite


def naming_function(site: CompiledSite, rows: pl.DataFrame) -> pl.Series:
    """Whether a rule that allows a row's conversation lists its Modbus function by number. Boolean."""
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


def strangers(site: CompiledSite, rows: pl.DataFrame) -> pl.Series:
    """Whether each row's client has no business there: no rule allows it, and inside a zone nobody declared it."""
    verdicts = site.rules.judge_rows(rows)
    allowed = pl.Series([verdict.allowed for verdict in site.rules.verdicts], dtype=pl.Boolean)
    known = allowed.gather(verdicts).fill_null(value=False)
    return rows.select(
        pl.when("crosses")
        .then(~known)
        .otherwise(~pl.col("client_ip").is_in(list(site.assets_by_address)))
        .alias("strange")
    )["strange"]
