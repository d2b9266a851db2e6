"""Sorted counts of samples in; columns with one entry for each conversation out.

What is sorted once is cut into slices and runs, neither copied nor hashed nor sorted again, and a column of lists is
its values with the places where each list begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

#: The bucket of what has no time.
NO_TIME: Final = (1 << 12) - 1

#: A key is a kind, a conversation and a bucket: the bits below a conversation, and below a kind.
BUCKET_BITS: Final = 12
KIND_SHIFT: Final = BUCKET_BITS + 32

_PAIR: Final = np.uint64((1 << KIND_SHIFT) - 1)


@dataclass(frozen=True, slots=True)
class Times:
    """How often each conversation had a time in each bucket: in order, repeats are added up."""

    #: Ascending: a conversation, and below it a bucket.
    pair: npt.NDArray[np.int64]
    count: npt.NDArray[np.uint64]

    @classmethod
    def joined(cls, parts: Iterable[Times]) -> Times:
        """All of them."""
        whole, *others = sorted(parts, key=lambda part: -len(part.pair))
        for other in others:
            if len(other.pair):
                # The few into the many: nothing is sorted again.
                places = whole.pair.searchsorted(other.pair)
                whole = cls(
                    np.insert(whole.pair, places, other.pair), np.insert(whole.count, places, other.count)
                )
        return whole

    @property
    def conversation(self) -> npt.NDArray[np.int64]:
        """Of each entry."""
        return self.pair >> BUCKET_BITS

    @property
    def bucket(self) -> npt.NDArray[np.int64]:
        """Of each entry."""
        return self.pair & NO_TIME

    def lowest(self, conversations: int) -> npt.NDArray[np.int64]:
        """The lowest bucket of each of so many conversations; -1 where it has none."""
        found = np.full(conversations, -1, dtype=np.int64)
        conversation = self.conversation
        first = run_begins(conversation)
        found[conversation[first]] = self.pair[first] & NO_TIME
        return found

    def histogram(self, prefix: str, conversations: int) -> list[pl.Series]:
        """`{prefix}_buckets`, ascending, and `{prefix}_counts`: one list a conversation, empty where it has none."""
        pair, count = self.pair, self.count
        begins = run_begins(pair)
        if len(begins) < len(pair):
            pair, count = pair[begins], np.add.reduceat(count, begins)
        lengths = np.bincount(pair >> BUCKET_BITS, minlength=conversations)
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), lengths.cumsum()])
        return [
            _lists(f"{prefix}_buckets", offsets, (pair & NO_TIME).astype(np.int16)),
            _lists(f"{prefix}_counts", offsets, count.astype(np.uint32)),
        ]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often what was seen: ascending keys of a kind (of `samples.What`), a conversation and a bucket."""

    #: So many conversations there are, numbered from 0.
    conversations: int
    key: npt.NDArray[np.uint64]
    count: npt.NDArray[np.uint64]

    def times(self, kinds: Iterable[int]) -> Times:
        """Of these kinds, what has a time."""
        return Times.joined(self._times(kind) for kind in kinds)

    def samples(self, kind: int) -> npt.NDArray[np.uint64]:
        """How many samples of a kind each conversation has, with a time or without."""
        part = self._slice(kind)
        found = np.zeros(self.conversations, dtype=np.uint64)
        np.add.at(found, _pair(self.key[part]) >> BUCKET_BITS, self.count[part])
        return found

    def _times(self, kind: int) -> Times:
        part = self._slice(kind)
        pair, count = _pair(self.key[part]), self.count[part]
        timed = (pair & NO_TIME) != NO_TIME
        return Times(pair, count) if timed.all() else Times(pair[timed], count[timed])

    def _slice(self, kind: int) -> slice:
        begin, end = self.key.searchsorted(
            np.array([kind, kind + 1], dtype=np.uint64) << np.uint64(KIND_SHIFT)
        )
        return slice(int(begin), int(end))


def run_begins(ordered: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Where each run of equal numbers begins."""
    begins = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def _pair(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (key & _PAIR).view(np.int64)


def _lists(name: str, offsets: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> pl.Series:
    # By way of Series: PyArrow imports pandas before it looks at an array of NumPy.
    begins, flat = (pl.Series(part).to_arrow() for part in (offsets, values))
    return pl.Series(name, pa.LargeListArray.from_arrays(begins, flat))
