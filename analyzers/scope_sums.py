"""Conversations' minutes in; the slots and segments of every conduit and zone, minute by minute, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from analyzers.budget import Slots
from analyzers.burn import MinuteSlots
from analyzers.loss_hours import Sent
from analyzers.sketch import buckets, samples_within

#: "conduit" or "zone", and its id.
ScopeKey = tuple[str, str]
_PLACE = ("at", "from_zone", "to_zone", "conduit")


@dataclass(slots=True)
class Minute:
    """What the conversations of one scope came to in one minute, as far as it may be judged."""

    valid: bool = False
    slots: int = 0
    bad: int = 0
    answered: int = 0
    #: By limit, ns: answers that took longer.
    slow: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """The minutes of one scope that anything came in: those of polls, and what was lost in them, of any."""

    minutes: dict[int, Minute]
    segments: dict[int, tuple[int, int]]

    def availability(self) -> list[MinuteSlots]:
        """Every slot that was due."""
        return [_slots(at, one, one.slots, one.bad) for at, one in sorted(self.minutes.items())]

    def times(self, limit_ns: int) -> list[MinuteSlots]:
        """Every answer that was timed; bad is what took longer than the limit."""
        return [_slots(at, one, one.answered, one.slow[limit_ns]) for at, one in sorted(self.minutes.items())]

    def sent(self) -> list[Sent]:
        """What was lost of what was sent."""
        return [(at, *of) for at, of in sorted(self.segments.items())]


def courses(rows: pl.DataFrame, of_polls: pl.DataFrame, limits_ns: Sequence[int]) -> dict[ScopeKey, Course]:
    """By conduit and zone: rows with `at` (minutes since the epoch), columns of SLA_MINUTES and `bad`."""
    found: defaultdict[ScopeKey, Course] = defaultdict(lambda: Course({}, {}))
    for at, from_zone, to_zone, conduit, valid, slots, bad, answered, *slow in _slots_of(of_polls, limits_ns):
        for key in _scopes(from_zone, to_zone, conduit):
            one = found[key].minutes.setdefault(at, Minute(slow=dict.fromkeys(limits_ns, 0)))
            one.valid |= valid
            one.slots, one.bad, one.answered = one.slots + slots, one.bad + bad, one.answered + answered
            for limit_ns, count in zip(limits_ns, slow, strict=True):
                one.slow[limit_ns] += count
    for at, from_zone, to_zone, conduit, lost, sent in _segments_of(rows):
        for key in _scopes(from_zone, to_zone, conduit):
            lost_before, sent_before = found[key].segments.get(at, (0, 0))
            found[key].segments[at] = lost_before + lost, sent_before + sent
    return dict(found)


def with_slow(rows: pl.DataFrame, limits_ns: Sequence[int], names: Sequence[str] = ("slow",)) -> pl.DataFrame:
    """Add how many answers were timed (`answered`), and how many of them took longer than each limit."""
    numbered = rows.with_row_index("row")
    timed = numbered.select("row", "transaction_buckets", "transaction_counts").filter(
        pl.col("transaction_counts").list.len() > 0  # an empty list would explode into a null
    )
    count = pl.col("transaction_counts")
    slow = {
        name: count.filter(pl.col("transaction_buckets") > _last_within(limit_ns)).cast(pl.Int64).sum()
        for name, limit_ns in zip(names, limits_ns, strict=True)
    }
    counts = (
        timed.explode("transaction_buckets", "transaction_counts")
        .group_by("row")
        .agg(answered=count.cast(pl.Int64).sum(), **slow)
    )
    return (
        numbered.join(counts, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("answered", *names).fill_null(0))
        .drop("row")
    )


def _last_within(limit_ns: int) -> int:
    """The last bucket that counts as within the limit."""
    bucket = int(buckets(pl.Series([limit_ns]))[0])
    return bucket - (not samples_within([bucket], [1], limit_ns))


def _slots_of(rows: pl.DataFrame, limits_ns: Sequence[int]) -> list[tuple[Any, ...]]:
    names = [f"slow_{number}" for number in range(len(limits_ns))]
    summed = {
        "slots": pl.col("transactions") + pl.col("missed"),
        **{name: pl.col(name) for name in ("bad", "answered", *names)},
    }
    return (
        with_slow(rows, limits_ns, names)
        .group_by(_PLACE)
        .agg(
            pl.col("valid").any(),
            **{name: what.filter("valid").sum().cast(pl.Int64) for name, what in summed.items()},
        )
        .rows()
    )


def _segments_of(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    return (
        rows.filter("valid")
        .group_by(_PLACE)
        .agg(pl.col("lost_segments", "data_segments").sum().cast(pl.Int64))
        .filter(pl.col("data_segments") + pl.col("lost_segments") > 0)
        .rows()
    )


def _scopes(from_zone: str, to_zone: str, conduit: str) -> set[ScopeKey]:
    return {("conduit", conduit), ("zone", from_zone), ("zone", to_zone)}


def _slots(at: int, minute: Minute, slots: int, bad: int) -> MinuteSlots:
    return MinuteSlots(at, Slots(slots, bad), minute.valid)
