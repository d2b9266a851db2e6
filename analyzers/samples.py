"""Samples of a conversation's minute as whole numbers, so that millions of them are counted at once.

A sample is a flow and its minute in one number, and what was measured with the bucket of its time in another. Which
conversation the flow belongs to is looked up when all are counted.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from analyzers import sketch
from analyzers.counts import BUCKET_BITS, KIND_SHIFT, NO_TIME, Counts, run_begins
from analyzers.flow_minutes import Numbered

#: This many rows are kept before they are counted, or as many as there are counts: about 40 MB.
_ROWS_LIMIT: Final = 4_000_000


_ONE: Final = pl.lit(1, pl.UInt64)


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


def coded(rows: pl.DataFrame, durations_ns: pl.Series) -> pl.DataFrame:
    """Rows of `flow_minute` and `what` (of What, UInt16) with their times, null where there is none; samples out."""
    timeless = durations_ns.is_null().to_numpy() if durations_ns.null_count() else None
    code = sketch.buckets(durations_ns.fill_null(0)).to_numpy().astype(np.uint16)
    if timeless is not None:
        code[timeless] = NO_TIME
    code |= rows["what"].to_numpy() << BUCKET_BITS
    return pl.DataFrame({"flow_minute": rows["flow_minute"], "code": code})


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
        numbered = Numbered(flows, self._rows + sum(map(len, self._counted)))
        raw = [_keys(part, numbered)[0] for part in self._raw]
        key = np.concatenate(raw) if raw else np.empty(0, dtype=np.uint64)
        if not self._counted:
            # Sorted and cut into runs: a tenth of the time that a hash of every key takes. On two threads, sorting
            # takes twice the work.
            key = pl.Series(key).sort(multithreaded=False).to_numpy()
            begins = run_begins(key)
            counts = np.diff(begins, append=len(key)).astype(np.uint64)
            return Counts(conversations, key[begins], counts)
        found = [pl.DataFrame({"key": key, "count": np.ones(len(key), dtype=np.uint64)})]
        for part in self._counted:
            key, known = _keys(part, numbered)
            found.append(pl.DataFrame({"key": key, "count": part["count"].filter(pl.Series(known))}))
        total = pl.concat(found).group_by("key").agg(pl.col("count").sum()).sort("key")
        return Counts(conversations, total["key"].to_numpy(), total["count"].to_numpy())

    def _count(self) -> pl.DataFrame:
        rows = pl.concat([*self._counted, *(part.with_columns(count=_ONE) for part in self._raw)])
        return rows.group_by("flow_minute", "code").agg(pl.col("count").sum())


def _keys(samples: pl.DataFrame, numbered: Numbered) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Kind, conversation and bucket in one number, of samples whose flow's minute is known; and which these are."""
    conversation = numbered.conversations(samples["flow_minute"])
    known = conversation >= 0
    code = samples["code"].to_numpy()
    if not known.all():
        conversation, code = conversation[known], code[known]
    key = (code >> BUCKET_BITS).astype(np.uint64)
    key <<= np.uint64(KIND_SHIFT - BUCKET_BITS)
    key |= conversation.astype(np.uint64)
    key <<= np.uint64(BUCKET_BITS)
    key |= code & NO_TIME
    return key, known
