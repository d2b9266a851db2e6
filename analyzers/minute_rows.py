"""Sums of a capture in; rows of SLA_MINUTES out."""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers import latency, loss
from analyzers.loss import CONVERSATION_KEY
from analyzers.measurements import SLA_MINUTES
from analyzers.requests import OUTCOMES, outcome_columns
from analyzers.samples import Samples
from policy.traffic import table_schema

_SCHEMA: Final = table_schema(SLA_MINUTES)


def measured_minutes(
    traffic: pl.DataFrame | None, samples: Samples, invalid_minutes: pl.DataFrame
) -> pl.DataFrame:
    """One row for each conversation and minute with traffic, in their order: the columns of SLA_MINUTES.

    In: the sum of `loss.traffic_rows`, all samples, and the minutes that must not be judged.
    """
    if traffic is None:
        return pl.DataFrame(schema=_SCHEMA)
    # Sorted while it is narrow: the columns that follow come in this order.
    rows = in_order(traffic).with_row_index("conversation")
    # A flow may have several rows of a minute: a clock that is set back comes through it again.
    flows = (
        rows.select("conversation", pl.col("flow_minutes").alias("flow_minute"))
        .explode("flow_minute")
        .unique()
    )
    counts = samples.by_conversation(flows, rows.height)
    rows = rows.hstack([*latency.time_columns(counts), *outcome_columns(counts)])
    rows = rows.with_columns(
        # Looked up, not joined: a join copies every histogram.
        (~pl.col("minute").is_in(invalid_minutes["minute"].implode())).alias("valid"),
        loss.lost_segments().alias("lost_segments"),
        loss.one_sided().alias("one_sided"),
    )
    known = rows.schema
    rows = rows.with_columns(
        # Lists are copied by a cast, also to the type that they have.
        pl.col(name).cast(kind) if name in known else _blank(kind).alias(name)
        for name, kind in _SCHEMA.items()
        if known.get(name) != kind
    )
    return rows.with_columns(_not_measured_from_one_side()).select(*_SCHEMA)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by minute and conversation. Many are in order already: the keys alone are sorted to know it."""
    order = (
        rows.select(CONVERSATION_KEY).with_row_index("row").sort(CONVERSATION_KEY, maintain_order=True)["row"]
    )
    return rows if order.is_sorted() else rows[order]


def _not_measured_from_one_side() -> list[pl.Expr]:
    """Of half a dialogue nothing can be told: neither that it was answered nor that it was not."""
    seen = pl.col("transactions") + pl.col("not_measurable_unmatched") + pl.col("not_measurable_clock")
    gone = (*(name for name in OUTCOMES if name != "not_measurable_encrypted"),)
    return [
        pl.when("one_sided").then(seen).otherwise(0).cast(pl.UInt64).alias("not_measurable_one_sided"),
        *(pl.when("one_sided").then(0).otherwise(name).cast(pl.UInt64).alias(name) for name in gone),
    ]


def _blank(kind: pl.DataType) -> pl.Expr:
    """What a row has of what others note of it."""
    return pl.lit(0 if kind.is_numeric() else "", kind)
