"""Sums of a capture in; rows of SLA_MINUTES out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from analyzers import latency, loss
from analyzers.loss import CONVERSATION_KEY
from analyzers.measurements import SLA_MINUTES
from analyzers.requests import OUTCOMES, outcome_columns
from analyzers.samples import Samples
from policy.traffic import table_schema

_SCHEMA: Final = table_schema(SLA_MINUTES)
#: Partial sums are added up when there are this many of them: bounds memory on long captures.
_PARTS_LIMIT: Final = 64


class Sum:
    """Rows of several batches, added up by whoever made them."""

    def __init__(self, added: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """`added` takes rows of any number of batches and adds those of one key up."""
        self._added = added
        self._parts: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows."""
        self._parts.append(rows)
        if len(self._parts) > _PARTS_LIMIT:
            self._parts = [self._added(pl.concat(self._parts))]

    def total(self) -> pl.DataFrame | None:
        """All of them; None where none came."""
        return self._added(pl.concat(self._parts)) if self._parts else None


def measured_minutes(
    traffic: pl.DataFrame | None, samples: Samples, invalid_minutes: pl.DataFrame
) -> pl.DataFrame:
    """One row for each conversation and minute with traffic, in their order: the columns of SLA_MINUTES.

    In: the total of `loss.traffic_rows`, all samples, and the minutes that must not be judged.
    """
    if traffic is None:
        return pl.DataFrame(schema=_SCHEMA)
    rows = traffic.with_row_index("conversation")
    # A flow may have several rows of a minute: a clock that is set back comes through it again.
    flows = (
        rows.select("conversation", pl.col("flow_minutes").alias("flow_minute"))
        .explode("flow_minute")
        .unique()
    )
    counts = samples.by_conversation(flows)
    for part in (*latency.time_columns(counts), outcome_columns(counts)):
        rows = rows.join(part, on="conversation", how="left")
    rows = rows.join(invalid_minutes, on="minute", how="left").with_columns(
        loss.lost_segments().alias("lost_segments"), loss.one_sided().alias("one_sided")
    )
    rows = rows.with_columns(
        _filled(name, kind) if name in rows.columns else _blank(name, kind) for name, kind in _SCHEMA.items()
    )
    return rows.with_columns(_not_measured_from_one_side()).select(*_SCHEMA).sort(CONVERSATION_KEY)


def _not_measured_from_one_side() -> list[pl.Expr]:
    """Of half a dialogue nothing can be told: neither that it was answered nor that it was not."""
    seen = pl.col("transactions") + pl.col("not_measurable_unmatched") + pl.col("not_measurable_clock")
    gone = (*(name for name in OUTCOMES if name != "not_measurable_encrypted"),)
    return [
        pl.when("one_sided").then(seen).otherwise(0).cast(pl.UInt64).alias("not_measurable_one_sided"),
        *(pl.when("one_sided").then(0).otherwise(name).cast(pl.UInt64).alias(name) for name in gone),
    ]


_NULLABLE: Final = frozenset(column.name for column in SLA_MINUTES.columns if column.nullable)
#: What a row has of what was not measured in it.
_NOTHING: Final = {
    pl.List(pl.Int16): [],
    pl.List(pl.UInt32): [],
    pl.UInt64(): 0,
    pl.String(): "",
    pl.Boolean(): True,
}


def _filled(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name).cast(kind)
    return column if name in _NULLABLE or kind not in _NOTHING else column.fill_null(_NOTHING[kind])


def _blank(name: str, kind: pl.DataType) -> pl.Expr:
    return pl.lit(None if name in _NULLABLE else _NOTHING[kind], kind).alias(name)
