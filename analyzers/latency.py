"""Round-trip and transaction times for each conversation and minute: samples in, countable buckets out.

Round-trip time is the `path` sample of the wire tables: both sides of the tap together, so the figure does not
depend on where in the path the tap sits. Samples whose ACK rode on data are left out: service time is in them.
Transaction time runs from a request to its response as the tap saw them; near the server it is server time only.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers import sketch
from analyzers.loss import CONVERSATION_KEY

#: How long after a request an answer still counts as in time, where no target says so.
DEFAULT_DEADLINE_NS: Final = 1_000_000_000


def _minute(column: str) -> pl.Expr:
    return pl.col(column).dt.truncate("1m").alias("minute")


def rtt_counts(rtt: pl.DataFrame) -> pl.DataFrame:
    """Path samples as (CONVERSATION_KEY, bucket, count) rows, in the long form that can be added."""
    return _counts(
        rtt.filter((pl.col("kind") == "path") & ~pl.col("piggybacked")).with_columns(_minute("ts")), "rtt_ns"
    )


def transaction_counts(modbus: pl.DataFrame) -> pl.DataFrame:
    """Answered transactions, exceptions included, as (CONVERSATION_KEY, bucket, count) rows."""
    return _counts(
        modbus.filter(pl.col("latency_ns").is_not_null()).with_columns(_minute("ts")), "latency_ns"
    )


def outcome_rows(modbus: pl.DataFrame, deadline_ns: pl.Expr) -> pl.DataFrame:
    """Requests by how they ended, one row per CONVERSATION_KEY.

    Orphan responses are no requests of this capture, and pending ones ended with the capture: neither counts.
    """
    asked = modbus.filter(pl.col("outcome").is_in(["answered", "exception", "unanswered"])).with_columns(
        _minute("ts")
    )
    answered = pl.col("outcome") == "answered"
    in_time = pl.col("latency_ns") <= deadline_ns
    return asked.group_by(CONVERSATION_KEY).agg(
        pl.len().cast(pl.UInt64).alias("transactions"),
        (answered & in_time).sum().cast(pl.UInt64).alias("good"),
        (pl.col("outcome") == "exception").sum().cast(pl.UInt64).alias("exceptions"),
        (pl.col("outcome") == "unanswered").sum().cast(pl.UInt64).alias("unanswered"),
        (answered & ~in_time).sum().cast(pl.UInt64).alias("late"),
    )


def added(counts: pl.DataFrame) -> pl.DataFrame:
    """Rows of `rtt_counts` or `transaction_counts` from several batches, added up."""
    return counts.group_by(*CONVERSATION_KEY, "bucket").agg(pl.col("count").sum())


def added_outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `outcome_rows` from several batches, added up."""
    return rows.group_by(CONVERSATION_KEY).agg(pl.all().exclude(CONVERSATION_KEY).sum())


def as_histograms(counts: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Long rows in, one row per CONVERSATION_KEY out, with `{prefix}_buckets` ascending and `{prefix}_counts`."""
    return (
        counts.sort("bucket")
        .group_by(CONVERSATION_KEY)
        .agg(
            pl.col("bucket").alias(f"{prefix}_buckets"),
            pl.col("count").cast(pl.UInt32).alias(f"{prefix}_counts"),
        )
    )


def _counts(samples: pl.DataFrame, duration: str) -> pl.DataFrame:
    return (
        samples.select(*CONVERSATION_KEY, sketch.buckets(samples[duration]).alias("bucket"))
        .group_by(*CONVERSATION_KEY, "bucket")
        .agg(pl.len().cast(pl.UInt64).alias("count"))
    )
