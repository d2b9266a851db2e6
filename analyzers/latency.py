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

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from analyzers import sketch
from analyzers.counts import BUCKET_BITS, Counts, Times
from analyzers.flow_minutes import flow_minute
from analyzers.samples import What, coded

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
#: Answers by who gave them.
_BY_SERVER: Final = (What.GOOD, What.LATE, What.EXCEPTION)
_BY_CLIENT: Final = (What.CLIENT_GOOD, What.CLIENT_LATE, What.CLIENT_EXCEPTION)
#: What the histograms of round trips in SLA_MINUTES hold, by the name of their columns.
_HISTOGRAMS: Final = {
    "rtt": (What.PATH,),
    "ack_client": (What.ACK_CLIENT,),
    "ack_server": (What.ACK_SERVER,),
}
#: The shortest way of each side: the samples that cross that side of the tap alone.
_HALVES: Final = {
    "client_half_min_ns": (What.HANDSHAKE_CLIENT, What.ACK_CLIENT),
    "server_half_min_ns": (What.HANDSHAKE_SERVER, What.ACK_SERVER),
}


def round_trips(rtt: pl.DataFrame) -> pl.DataFrame:
    """Those rows of the `rtt` table that are round-trip times of the whole way."""
    return rtt.filter((pl.col("kind") == "path") & ~pl.col("piggybacked"))


#: The kind of a row, as `samples.What`. Comparing texts five times is faster than looking each up in a table.
_WHAT: Final = pl.coalesce(
    pl.when(pl.col("kind") == kind).then(pl.lit(number, pl.UInt16)) for kind, number in _KINDS.items()
).alias("what")
_FLOW_MINUTE: Final = flow_minute("ts")
#: What `rtt_samples` reads.
RTT_COLUMNS: Final = ("ts", "flow_id", "kind", "piggybacked", "rtt_ns")


def rtt_samples(rtt: pl.DataFrame) -> pl.DataFrame:
    """Samples of the `rtt` table, but those whose ACK rode on data."""
    rows = rtt.filter(~rtt["piggybacked"]).select(_FLOW_MINUTE, _WHAT, "rtt_ns")
    if rows["what"].null_count():
        raise ValueError(f"rtt: a kind that is none of {', '.join(_KINDS)}")
    return coded(rows, rows["rtt_ns"])


def time_columns(counts: Counts) -> list[pl.Series]:
    """The columns of SLA_MINUTES that hold times, one entry a conversation."""
    size = counts.conversations
    client_way, server_way = (counts.times(kinds).lowest(size) for kinds in _HALVES.values())
    by_server, by_client = counts.times(_BY_SERVER), counts.times(_BY_CLIENT)
    server_times = Times.joined(
        [_without_the_way(by_server, server_way), _without_the_way(by_client, client_way)]
    )
    return [
        *(
            column
            for prefix, kinds in _HISTOGRAMS.items()
            for column in counts.times(kinds).histogram(prefix, size)
        ),
        *Times.joined([by_server, by_client]).histogram("transaction", size),
        *(_shortest(name, way) for name, way in zip(_HALVES, (client_way, server_way), strict=True)),
        *server_times.histogram("server_time", size),
    ]


def _shortest(name: str, way: npt.NDArray[np.int64]) -> pl.Series:
    """The shortest way: what the lowest bucket stands for; null without one."""
    return pl.Series(name, sketch.durations_of(way)).set(pl.Series(way < 0), None)


def _without_the_way(transactions: Times, way: npt.NDArray[np.int64]) -> Times:
    """Transaction times less the shortest way to who answers; without those of which it was not measured."""
    conversation, bucket, count = transactions.conversation, transactions.bucket, transactions.count
    of_each = way[conversation]
    measured = of_each >= 0
    if not measured.all():
        conversation, bucket = conversation[measured], bucket[measured]
        of_each, count = of_each[measured], count[measured]
    whole, part = sketch.durations_of(bucket), sketch.durations_of(of_each)
    # Never below nothing, and in the order of the buckets, as they were.
    left = sketch.buckets_of(whole - np.minimum(whole, part))
    return Times((conversation << BUCKET_BITS) | left, count)
