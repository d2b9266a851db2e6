"""Operations joined with the rules that allow their conversation; those that no rule allows, and which came closest.

What the protocols share. Each distinct operation is looked at once, with all its rules as columns: the cost does not
depend on how many rows there are, and on rules only as far as they allow the conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from policy.model import AllowRule
from policy.violations import HIGH, LOW, confidence_of_roles
from policy.zoning import CompiledSite


@dataclass(frozen=True, slots=True)
class Candidates:
    """Operations with each of the rules that allow their conversation as such."""

    #: Columns of the operations, `operation_id`, and `rule`: the rule's number.
    rows: pl.DataFrame
    rules: dict[int, AllowRule]


def limited(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """Judged rows whose conversation is allowed by rules that all limit operations: one that does not allows any."""
    limits = pl.Series([verdict.limited for verdict in site.rules.verdicts], dtype=pl.Boolean)
    return rows.filter(limits.gather(rows["verdict"]))


def with_rules(site: CompiledSite, operations: pl.DataFrame) -> Candidates:
    """Distinct operations with their `verdict` in; each with each of its rules out."""
    verdicts = operations["verdict"].unique().to_list()
    allowing = [(verdict, rule) for verdict in verdicts for rule in site.rules.verdicts[verdict].rules]
    table = pl.DataFrame(
        [(verdict, rule.number) for verdict, rule in allowing],
        schema={"verdict": pl.UInt32, "rule": pl.UInt32},
        orient="row",
    )
    return Candidates(
        operations.with_row_index("operation_id").join(table, on="verdict"),
        {rule.number: rule.rule for _, rule in allowing},
    )


def refused(
    candidates: Candidates,
    limits: Sequence[str],
    operation: Sequence[str],
    nearest_text: Callable[[AllowRule, list[str]], str],
) -> pl.DataFrame:
    """Operations that no rule allows: the columns `operation`, the limits `broken`, and the `nearest` rule in words.

    The candidates' rows have a column `fits_{limit}` for each limit. The rule with the fewest broken limits comes
    closest, the first in the file among equals; `nearest_text` is given that rule and its broken limits.
    """
    misses = pl.sum_horizontal(~pl.col(f"fits_{limit}") for limit in limits)
    nearest = (
        candidates.rows.with_columns(misses=misses)
        .sort("operation_id", "misses", "rule")
        .group_by("operation_id", maintain_order=True)
        .first()
        .filter(pl.col("misses") > 0)
    )
    words = [pl.when(~pl.col(f"fits_{limit}")).then(pl.lit(limit)) for limit in limits]
    nearest = nearest.with_columns(broken=pl.concat_str(*words, separator=", ", ignore_nulls=True))
    texts = [
        nearest_text(candidates.rules[rule], broken.split(", "))
        for rule, broken in nearest.select("rule", "broken").iter_rows()
    ]
    return nearest.select(*operation, "broken", pl.Series("nearest", texts, dtype=pl.String))


@cache
def confidence_of_transaction() -> pl.Expr:
    """Roles known, request seen, no gap near, protocol by structure: each that is missing takes one off."""
    doubts = (
        (pl.lit(HIGH) - confidence_of_roles().cast(pl.Int32))
        + pl.col("after_gap").cast(pl.Int32)
        + (pl.col("outcome") == "orphan").cast(pl.Int32)
        + (~pl.col("decoded")).cast(pl.Int32)
    )
    return (pl.lit(HIGH) - doubts).clip(lower_bound=LOW).cast(pl.UInt8)
