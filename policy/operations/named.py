"""Operations of control protocols held against the rules that name them: S7comm, CIP, IEC 104, DNP3, BACnet and others.

A rule names them by what they do to the device (their class) or as the decoder names them. What opens and keeps a
session (class `session`) is part of any of them. Judged as columns: each distinct operation is matched once.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.judged import Judged
from policy.model import AllowRule
from policy.operation_words import holds
from policy.operations.base import Operations
from policy.operations.nearest import Candidates, confidence_of_transaction, refused, with_rules
from policy.services import NAMED_OPERATIONS
from policy.violations import NO_VIOLATIONS, grouped
from policy.zoning import CompiledSite

#: An operation, as far as rules can tell.
_OPERATION: Final = ("verdict", "operation_class", "called")
_LIMITS: Final = ("operation",)
_CHANGING: Final = ("write", "program", "start", "stop", "restart", "configure")
_TEXT_SHOWN: Final = 128


class NamedOperations(Operations):
    """Operations by their class and by their name."""

    service = "operations"

    def broken(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Operations of allowed conversations that none of the allowing rules covers."""
        rows = judged.operations.filter(
            pl.col("allowed")
            & pl.col("service").is_in(NAMED_OPERATIONS)
            & (pl.col("operation_class") != "session")
        )
        if rows.is_empty():
            return rows.with_columns(broken=pl.lit(""), nearest=pl.lit(""))
        rows = rows.rename({"operation": "called"})
        denied = _refused(site, rows.select(_OPERATION).unique(maintain_order=True))
        return rows.join(denied, on=_OPERATION, how="inner", maintain_order="left")

    def refused(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The same as violations."""
        rows = self.broken(site, judged)
        if rows.is_empty():
            return NO_VIOLATIONS
        changing = pl.col("operation_class").is_in(_CHANGING)
        rows = rows.with_columns(
            what=pl.format("{}: {}", "called", "broken"),
            operation=pl.format("{}.{}", "service", "operation_class"),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            last_ns=pl.col("ts").dt.epoch("ns") + pl.col("span_ns").cast(pl.Int64),
            frame=pl.coalesce("request_frame", "response_frame"),
            confirmed=changing & (pl.col("outcome") == "answered"),
            confidence_rank=confidence_of_transaction(),
        )
        return grouped(rows, in_words)


def _refused(site: CompiledSite, operations: pl.DataFrame) -> pl.DataFrame:
    """Distinct operations in; those that no rule allows out, with the limit `broken` and the `nearest` rule."""
    candidates = with_rules(site, operations)
    rules = candidates.rules
    fits = [
        holds(rules[rule].operations, kind, name)
        for rule, kind, name in candidates.rows.select("rule", "operation_class", "called").iter_rows()
    ]
    rows = candidates.rows.with_columns(fits_operation=pl.Series(fits, dtype=pl.Boolean))
    return refused(Candidates(rows, rules), _LIMITS, _OPERATION, _nearest_text)


def _nearest_text(rule: AllowRule, _: list[str]) -> str:
    """The rule that came closest and what it allows."""
    return f"{rule.id}: only {', '.join(rule.operations or ()) or 'sessions'}"


def in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words: `write variables DB1.DBX4.0 BYTE 3 = 01 02, confirmed`."""
    said = pl.format(" {}", pl.col("object").str.slice(0, _TEXT_SHOWN))
    value = pl.format(" = {}", pl.col("value").str.slice(0, _TEXT_SHOWN))
    written = (pl.col("operation_class") == "write") & (pl.col("value") != "")
    return rows.with_columns(
        text=pl.concat_str(
            "called",
            pl.when(pl.col("object") != "").then(said),
            pl.when(written).then(value),
            pl.format(", {}", _outcome_text()),
            ignore_nulls=True,
        )
    )


def _outcome_text() -> pl.Expr:
    outcome = pl.col("outcome")
    return (
        pl.when("confirmed")
        .then(pl.lit("confirmed"))
        .when((outcome == "exception") & pl.col("error_code").is_not_null())
        .then(pl.format("refused with error {}", "error_code"))
        .when(outcome == "exception")
        .then(pl.lit("refused"))
        .when(outcome == "orphan")
        .then(pl.lit("response without a request"))
        .when(outcome == "pending")
        .then(pl.lit("response not seen before the capture ended"))
        .when(outcome == "one_way")
        .then(pl.lit("which nothing answers"))
        .otherwise(outcome)
    )
