"""Round-trip, transaction and server times for each conversation and minute: samples in, countable buckets out.

Round-trip time is the `path` sample of the wire tables: both sides of the tap together, so the figure does not
depend on where in the path the tap sits. Samples whose ACK rode on data are left out: service time is in them.

ACK time of a side runs from a segment to the ACK without data that first covers it, from the tap and back (segments
that were sent twice have none: Karn and Partridge 1987). A delayed ACK lengthens it by 40 to 200 ms (RFC 9293,
3.8.6.3), so its low percentiles are the way, its high ones what the other side waits for. It never reads low.

Transaction time runs from a request to its response as the tap saw them: half of the way and the server's own time.
The first of several equal requests wins, so it may read high, never low; near the server it is server time only.

Server time is transaction time less the shortest way from the tap to the answering side and back, at least zero. The
shortest way is that of the conversation's own minute: minutes are measured alone, so nothing outside may count, and
what is found does not depend on how the capture is cut. It reads high by what queues behind the tap at the time, low
by the delay of the shortest ACK where every ACK was delayed, and is off by up to 1 % of the transaction time, whose
bucket it is made from. Where no handshake and no ACK without data was seen in the minute it is not measured.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers import sketch
from analyzers.loss import CONVERSATION_KEY

#: How long after a request an answer still counts as in time, where no target says so.
DEFAULT_DEADLINE_NS: Final = 1_000_000_000
#: Histograms of the samples of the `rtt` table: kind of sample to the name of its columns.
RTT_HISTOGRAMS: Final = {"path": "rtt", "ack_client": "ack_client", "ack_server": "ack_server"}
#: The shortest way of each side: the kinds of samples that cross that side of the tap alone.
HALVES: Final = {
    "client_half_min_ns": ("handshake_client", "ack_client"),
    "server_half_min_ns": ("handshake_server", "ack_server"),
}


def rtt_counts(rtt: pl.DataFrame) -> pl.DataFrame:
    """Samples of each kind as (CONVERSATION_KEY, kind, bucket, count) rows, in the long form that can be added."""
    return _counts(_pure(rtt).filter(pl.col("kind").is_in(list(RTT_HISTOGRAMS))), "rtt_ns", "kind")


def half_minima(rtt: pl.DataFrame) -> pl.DataFrame:
    """The shortest way from the tap to each side and back, one row per CONVERSATION_KEY; null without a sample."""
    return (
        _pure(rtt)
        .filter(pl.col("kind") != "path")
        .group_by(CONVERSATION_KEY)
        .agg(
            pl.col("rtt_ns").filter(pl.col("kind").is_in(kinds)).min().alias(name)
            for name, kinds in HALVES.items()
        )
    )


def added_minima(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `half_minima` from several batches as one."""
    return rows.group_by(CONVERSATION_KEY).agg(pl.col(list(HALVES)).min())


def transaction_counts(asked: pl.DataFrame) -> pl.DataFrame:
    """Rows of `requests` that were answered, exceptions included: (CONVERSATION_KEY, by_client, bucket, count)."""
    timed = pl.col("outcome").is_in(["answered", "exception"]) & pl.col("latency_ns").is_not_null()
    return _counts(asked.filter(timed), "latency_ns", "by_client")


def server_time_counts(transactions: pl.DataFrame, minima: pl.DataFrame) -> pl.DataFrame:
    """Rows of `transaction_counts`, less the shortest way to who answers: the same form without `by_client`."""
    way = pl.when("by_client").then("client_half_min_ns").otherwise("server_half_min_ns")
    rows = transactions.join(minima, on=CONVERSATION_KEY, how="inner").filter(way.is_not_null())
    times = rows.select(
        (sketch.durations_ns(rows["bucket"]).cast(pl.Int64) - way.cast(pl.Int64)).clip(0).alias("ns")
    )["ns"]
    return (
        rows.with_columns(sketch.buckets(times).alias("bucket"))
        .group_by(*CONVERSATION_KEY, "bucket")
        .agg(pl.col("count").sum())
    )


def added(counts: pl.DataFrame) -> pl.DataFrame:
    """Long rows of several batches, added up."""
    return counts.group_by(pl.exclude("count")).agg(pl.col("count").sum())


def as_histograms(counts: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Long rows in, one row per CONVERSATION_KEY out, with `{prefix}_buckets` ascending and `{prefix}_counts`."""
    return (
        counts.group_by(*CONVERSATION_KEY, "bucket")
        .agg(pl.col("count").sum())
        .sort("bucket")
        .group_by(CONVERSATION_KEY)
        .agg(
            pl.col("bucket").alias(f"{prefix}_buckets"),
            pl.col("count").cast(pl.UInt32).alias(f"{prefix}_counts"),
        )
    )


def _pure(rtt: pl.DataFrame) -> pl.DataFrame:
    return rtt.filter(~pl.col("piggybacked")).with_columns(pl.col("ts").dt.truncate("1m").alias("minute"))


def _counts(samples: pl.DataFrame, duration: str, apart: str) -> pl.DataFrame:
    return (
        samples.select(*CONVERSATION_KEY, apart, sketch.buckets(samples[duration]).alias("bucket"))
        .group_by(*CONVERSATION_KEY, apart, "bucket")
        .agg(pl.len().cast(pl.UInt64).alias("count"))
    )
