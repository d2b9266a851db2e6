"""Samples of a conversation's minute as whole numbers, so that millions of them are counted at once.

A sample is a flow and its minute in one number, and what was measured with the bucket of its time in another. Which
conversation the flow belongs to is looked up when all are counted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import polars as pl

from analyzers import sketch
from analyzers.counts import BUCKET_BITS, KIND_SHIFT, NO_TIME, Counts

_MINUTE_NS: Final = 60_000_000_000
_FLOW_BITS: Final = 32
#: This many rows are kept before they are counted, or as many as there are counts: about 40 MB.
_ROWS_LIMIT: Final = 4_000_000


_ONE: Final = pl.lit(1, pl.UInt64)
_NONE: Final = pl.DataFrame(schema={"flow_minute": pl.Int64(), "code": pl.UInt16()})


class What(IntEnum):
    """What a sample is of. Of requests: how they ended, and in CLIENT_… those that the flow's client answers."""

    PATH = 0
    ACK_CLIENT = 1
    ACK_SERVER = 2
    HANDSHAKE_CLIENT = 3
    HANDSHAKE_SERVER = 4
    GOOD = 5
    LATE = 6
    EXCEPTION = 7
    CLIENT_GOOD = 8
    CLIENT_LATE = 9
    CLIENT_EXCEPTION = 10
    UNANSWERED = 11
    ENCRYPTED = 12
    UNMATCHED = 13
    CLOCK = 14


def flow_minute(at: str) -> pl.Expr:
    """Of rows with `flow_id` and the time `at`: the flow and its minute, Int64."""
    minute = pl.col(at).dt.epoch("ns") // _MINUTE_NS
    return (minute * (1 << _FLOW_BITS) + pl.col("flow_id").cast(pl.Int64)).alias("flow_minute")


def coded(rows: pl.DataFrame, durations_ns: pl.Series) -> pl.DataFrame:
    """Rows of `flow_minute` and `what` (of What, UInt16) with their times, null where there is none; samples out."""
    bucket = sketch.buckets(durations_ns.fill_null(0)).cast(pl.UInt16)
    if durations_ns.null_count():
        bucket = bucket.set(durations_ns.is_null(), NO_TIME)
    return rows.select("flow_minute", code=pl.col("what") * (1 << BUCKET_BITS) + bucket)


class Samples:
    """All samples of a capture or a minute: the same however they come in."""

    def __init__(self) -> None:
        """No sample yet."""
        self._raw: list[pl.DataFrame] = []
        self._counted: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows of `coded`."""
        self._raw.append(rows)
        self._rows += len(rows)
        if self._rows > max(_ROWS_LIMIT, *map(len, self._counted), 0):
            self._counted = [self._count()]
            self._raw, self._rows = [], 0

    def by_conversation(self, flows: pl.DataFrame, conversations: int) -> Counts:
        """How often what was seen.

        In: the `conversation` (a number below `conversations`) of each `flow_minute`. Samples of others are left out.
        """
        if not self._counted:
            raw = pl.concat(self._raw) if self._raw else _NONE
            # Sorted and cut into runs: a tenth of the time that a hash of every key takes.
            runs = _keyed(raw, flows)["key"].sort().rle().struct.unnest()
            keys, counts = runs["value"], runs["len"].cast(pl.UInt64)
        else:
            parts = [*self._counted, *(part.with_columns(count=_ONE) for part in self._raw)]
            total = _keyed(pl.concat(parts), flows).group_by("key").agg(pl.col("count").sum()).sort("key")
            keys, counts = total["key"], total["count"]
        return Counts(conversations, keys.to_numpy(), counts.to_numpy())

    def _count(self) -> pl.DataFrame:
        rows = pl.concat([*self._counted, *(part.with_columns(count=_ONE) for part in self._raw)])
        return rows.group_by("flow_minute", "code").agg(pl.col("count").sum())


def _keyed(samples: pl.DataFrame, flows: pl.DataFrame) -> pl.DataFrame:
    """Samples with their kind, conversation and bucket as one number, `key`."""
    code, conversation = (pl.col(name).cast(pl.UInt64) for name in ("code", "conversation"))
    kind, bucket = code // (1 << BUCKET_BITS), code % (1 << BUCKET_BITS)
    key = kind * (1 << KIND_SHIFT) + conversation * (1 << BUCKET_BITS) + bucket
    joined = samples.join(flows, on="flow_minute", how="inner")
    return joined.select(key.alias("key"), *(name for name in ("count",) if name in joined.columns))
