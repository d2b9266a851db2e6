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
by the delay of the shortest ACK where every ACK was delayed, and is off by up to 1 % of both times, whose buckets it
is made from. Where no handshake and no ACK without data was seen in the minute it is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from analyzers import sketch
from analyzers.samples import What, added, coded, flow_minute

#: How long after a request an answer still counts as in time, where no target says so.
DEFAULT_DEADLINE_NS: Final = 1_000_000_000
#: Kinds of the `rtt` table, the most frequent first.
_KINDS: Final = {
    "ack_client": What.ACK_CLIENT.value,
    "ack_server": What.ACK_SERVER.value,
    "path": What.PATH.value,
    "handshake_client": What.HANDSHAKE_CLIENT.value,
    "handshake_server": What.HANDSHAKE_SERVER.value,
}
#: What each histogram of SLA_MINUTES holds, by the name of its columns.
_HISTOGRAMS: Final = {
    "rtt": (What.PATH,),
    "ack_client": (What.ACK_CLIENT,),
    "ack_server": (What.ACK_SERVER,),
    "transaction": (
        *(What.GOOD, What.LATE, What.EXCEPTION),
        *(What.CLIENT_GOOD, What.CLIENT_LATE, What.CLIENT_EXCEPTION),
    ),
}
#: The shortest way of each side: the samples that cross that side of the tap alone.
_HALVES: Final = {
    "client_half_min_ns": (What.HANDSHAKE_CLIENT, What.ACK_CLIENT),
    "server_half_min_ns": (What.HANDSHAKE_SERVER, What.ACK_SERVER),
}


def round_trips(rtt: pl.DataFrame) -> pl.DataFrame:
    """Those rows of the `rtt` table that are round-trip times of the whole way."""
    return rtt.filter((pl.col("kind") == "path") & ~pl.col("piggybacked"))


def rtt_samples(rtt: pl.DataFrame) -> pl.DataFrame:
    """Samples of the `rtt` table, but those whose ACK rode on data."""
    rows = rtt.select("ts", "flow_id", "kind", "rtt_ns").filter(~rtt["piggybacked"])
    # Comparing texts five times is faster than looking each up in a table.
    what = pl.coalesce(
        pl.when(pl.col("kind") == kind).then(pl.lit(number, pl.UInt16)) for kind, number in _KINDS.items()
    )
    rows = rows.select(flow_minute("ts"), what.alias("what"), "rtt_ns")
    if rows["what"].null_count():
        raise ValueError(f"rtt: a kind that is none of {', '.join(_KINDS)}")
    return coded(rows, rows["rtt_ns"])


def time_columns(counts: pl.DataFrame) -> list[pl.DataFrame]:
    """Rows of `Samples.by_conversation` in; frames of the columns of SLA_MINUTES that hold times, by conversation."""
    timed = counts.filter(pl.col("bucket").is_not_null())
    minima = _half_minima(timed)
    return [
        *(_histogram(_of(timed, kinds), prefix) for prefix, kinds in _HISTOGRAMS.items()),
        minima,
        _histogram(_server_times(_of(timed, _HISTOGRAMS["transaction"]), minima), "server_time"),
    ]


def _of(timed: pl.DataFrame, kinds: Sequence[What]) -> pl.DataFrame:
    return timed.filter(pl.col("what").is_in([*kinds]))


def _half_minima(timed: pl.DataFrame) -> pl.DataFrame:
    """The shortest way from the tap to each side and back: what the lowest bucket stands for; null without one."""
    kinds = [kind for side in _HALVES.values() for kind in side]
    lowest = (
        _of(timed, kinds)
        .group_by("conversation")
        .agg(
            pl.col("bucket").filter(pl.col("what").is_in([*side])).min().alias(name)
            for name, side in _HALVES.items()
        )
    )
    return lowest.with_columns(sketch.durations_ns(lowest[name]).alias(name) for name in _HALVES)


def _server_times(transactions: pl.DataFrame, minima: pl.DataFrame) -> pl.DataFrame:
    """Transaction times less the shortest way to who answers."""
    by_client = pl.col("what") >= What.CLIENT_GOOD.value
    way = pl.when(by_client).then("client_half_min_ns").otherwise("server_half_min_ns")
    rows = transactions.join(minima, on="conversation", how="inner").filter(way.is_not_null())
    left = rows.select(
        (sketch.durations_ns(rows["bucket"]).cast(pl.Int64) - way.cast(pl.Int64)).clip(0).alias("ns")
    )["ns"]
    return rows.with_columns(sketch.buckets(left).alias("bucket"))


def _histogram(timed: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """One row a conversation, with `{prefix}_buckets` ascending and `{prefix}_counts`."""
    return (
        added(timed)
        .group_by("conversation", maintain_order=True)
        .agg(
            pl.col("bucket").alias(f"{prefix}_buckets"),
            pl.col("count").cast(pl.UInt32).alias(f"{prefix}_counts"),
        )
    )
