"""Samples of a conversation's minute as whole numbers, so that millions of them are counted at once.

A sample is a flow and its minute in one number, and what was measured with the bucket of its time in another. Which
conversation the flow belongs to is looked up when all are counted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import polars as pl

from analyzers import sketch

_MINUTE_NS: Final = 60_000_000_000
_FLOW_BITS: Final = 32
_BUCKET_BITS: Final = 12
_CODE_BITS: Final = 16
#: The bucket of what has no time.
_NO_TIME: Final = (1 << _BUCKET_BITS) - 1
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
        bucket = bucket.set(durations_ns.is_null(), _NO_TIME)
    return rows.select("flow_minute", code=pl.col("what") * (1 << _BUCKET_BITS) + bucket)


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

    def by_conversation(self, flows: pl.DataFrame) -> pl.DataFrame:
        """How often what was seen: `conversation`, `what`, `bucket` (null without a time), `count`; in this order.

        In: the `conversation` (a number) of each `flow_minute`. Samples of others are left out.
        """
        if not self._counted:
            raw = (pl.concat(self._raw) if self._raw else _NONE).join(flows, on="flow_minute", how="inner")
            # Sorted and cut into runs: a tenth of the time that a hash of every pair takes.
            runs = raw.select(_pair("code", _CODE_BITS))["pair"].sort().rle().struct.unnest()
            total = runs.select(pair="value", count=pl.col("len").cast(pl.UInt64))
        else:
            parts = [*self._counted, *(part.with_columns(count=_ONE) for part in self._raw)]
            total = _added(pl.concat(parts).join(flows, on="flow_minute", how="inner"), "code", _CODE_BITS)
        code = (pl.col("pair") % (1 << _CODE_BITS)).cast(pl.UInt16)
        bucket = code & _NO_TIME
        return total.select(
            _conversation(_CODE_BITS),
            what=code // (1 << _BUCKET_BITS),
            bucket=pl.when(bucket < _NO_TIME).then(bucket).cast(pl.Int16),
            count="count",
        )

    def _count(self) -> pl.DataFrame:
        rows = pl.concat([*self._counted, *(part.with_columns(count=_ONE) for part in self._raw)])
        return rows.group_by("flow_minute", "code").agg(pl.col("count").sum())


def added(rows: pl.DataFrame) -> pl.DataFrame:
    """Counts by `conversation` and `bucket`: each pair once, in their order."""
    return _added(rows, "bucket", _BUCKET_BITS).select(
        _conversation(_BUCKET_BITS),
        bucket=(pl.col("pair") % (1 << _BUCKET_BITS)).cast(pl.Int16),
        count="count",
    )


def _added(rows: pl.DataFrame, name: str, bits: int) -> pl.DataFrame:
    pairs = rows.select(_pair(name, bits), "count")
    if not pairs["pair"].is_sorted():
        pairs = pairs.sort("pair")
    # What is known to be sorted is grouped without a hash.
    return (
        pairs.with_columns(pl.col("pair").set_sorted())
        .group_by("pair", maintain_order=True)
        .agg(pl.col("count").sum())
    )


def _pair(name: str, bits: int) -> pl.Expr:
    """A conversation and a number of so many bits as one."""
    return (pl.col("conversation").cast(pl.UInt64) * (1 << bits) + pl.col(name).cast(pl.UInt64)).alias("pair")


def _conversation(bits: int) -> pl.Expr:
    return (pl.col("pair") // (1 << bits)).cast(pl.UInt32).set_sorted().alias("conversation")
