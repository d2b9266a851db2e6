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
#: Rows gathered before they are added up: memory against time.
_PENDING_LIMIT: Final = 50_000


class Sum:
    """Rows of several batches, added up by whoever made them."""

    def __init__(self, added: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """`added` takes rows of any number of batches and adds those of one key up."""
        self._added = added
        self._parts: list[pl.DataFrame] = []
        self._pending_rows = self._added_rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows."""
        self._parts.append(rows)
        self._pending_rows += rows.height
        # As many again as there are already: each row is added up a bounded number of times.
        if self._pending_rows > max(_PENDING_LIMIT, self._added_rows):
            total = self._added(pl.concat(self._parts))
            self._parts, self._pending_rows, self._added_rows = [total], 0, total.height

    def total(self) -> pl.DataFrame | None:
        """All of them; None where none came."""
        return self._added(pl.concat(self._parts)) if self._parts else None


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
    rows = rows.join(invalid_minutes, on="minute", how="left", maintain_order="left").with_columns(
        pl.col("valid").fill_null(value=True),
        loss.lost_segments().alias("lost_segments"),
        loss.one_sided().alias("one_sided"),
    )
    rows = rows.with_columns(
        pl.col(name).cast(kind) if name in rows.columns else _blank(kind).alias(name)
        for name, kind in _SCHEMA.items()
    )
    return rows.with_columns(_not_measured_from_one_side()).select(*_SCHEMA)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by minute and conversation. Many are in order already: the keys alone are sorted to know it."""
    order = rows.select(CONVERSATION_KEY).with_row_index("row").sort(CONVERSATION_KEY)["row"]
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
