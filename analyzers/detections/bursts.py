"""Rows in; what reached a threshold within a stretch of time out, whole.

Time is cut into slots, and a window is a number of slots in a row: what counts is counted in every window that begins
with a slot. A burst that lies across both ends of a window is counted low by at most one slot, never high.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.detections.totals import Totals, WithExamples
from policy.violations import MINUTE_NS, NO_VIOLATIONS, SUBJECT, VIOLATION, merged

SLOT_NS: Final = 10_000_000_000

_ITEM: Final = {**SUBJECT, "minute": pl.Int64(), "item": pl.String(), "first_ns": pl.Int64()}
_PENDING_LIMIT: Final = 50_000


class Bursts:
    """Counts rows by subject and slot, or the different things that the rows are about.

    Of the things it keeps as many a subject and slot as the threshold asks for, the first ones: a flood of them costs
    no memory, and which are kept does not depend on the order of the rows.
    """

    def __init__(
        self,
        least: int,
        *,
        slots: int,
        slot_ns: int = SLOT_NS,
        totals: Totals | None = None,
        kept: int | None = None,
    ) -> None:
        self._least = least
        self._slots = slots
        self._slot_ns = slot_ns
        self._totals: Totals = totals if totals is not None else WithExamples()
        self._items = pl.DataFrame(schema=_ITEM)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0
        self._by_item = False
        self._limit = kept
        self._since_bounded = 0
        #: Subjects that were forgotten for lack of room; one that came back and went again counts again.
        self.evicted = 0

    def add(self, rows: pl.DataFrame, text: pl.Expr, item: pl.Expr | None = None) -> None:
        """Take rows with the columns of ROW; `item` is what each is about, where different things count."""
        if rows.is_empty():
            return
        self._totals.add(rows, text, self._slot_ns)
        if item is not None:
            self._add_items(rows, item)
        self._since_bounded += rows.height
        # Seldom enough that each row is looked at a bounded number of times.
        if self._limit is not None and self._since_bounded > self._limit:
            self._bound(self._limit)

    def _add_items(self, rows: pl.DataFrame, item: pl.Expr) -> None:
        self._by_item = True
        told = rows.select(
            *SUBJECT,
            minute=pl.col("ts_ns") // self._slot_ns * self._slot_ns,
            item=item.cast(pl.String),
            first_ns="ts_ns",
        )
        self._pending.append(told.select(*_ITEM))
        self._rows += told.height
        if self._rows > max(_PENDING_LIMIT, self._items.height):
            self._kept()

    @property
    def kept(self) -> int:
        """How many different things are held in memory."""
        return self._kept().height

    def subjects(self) -> pl.DataFrame:
        """Those that are not forgotten: rows of SUBJECT."""
        return self._totals.counts().select(*SUBJECT).unique()

    def violations(self) -> pl.DataFrame:
        """What lies in a window that reached the threshold: columns of VIOLATION, by subject and minute."""
        hits = self._hits()
        if hits.is_empty():
            return NO_VIOLATIONS
        found = self._totals.violations(hits)
        by_minute = found.with_columns(minute=pl.col("minute") // MINUTE_NS * MINUTE_NS)
        return merged(by_minute).select(*VIOLATION)

    def settle(self, before_ns: int) -> None:
        """Forget the slots that no window of minutes from `before_ns` on has."""
        oldest_ns = before_ns - self._slots * self._slot_ns
        self._totals.settle(oldest_ns)
        if self._by_item:
            self._items = self._kept().filter(pl.col("minute") >= oldest_ns)

    def _bound(self, limit: int) -> None:
        """Keep as many entries, of the subjects that did most; among equals, of those that did it last.

        A forged source sends once: it can push out its like, and whoever knocks again stays before all of them. What
        an evicted subject did is not counted: a count may read low, never high. A scan so slow that more forged
        sources than are kept lie between two of its knocks is lost.
        """
        self._since_bounded = 0
        amount, last = pl.col("count").sum().alias("amount"), pl.col("minute").max().alias("last")
        subjects = self._totals.counts().group_by(*SUBJECT).agg(amount, last, entries=pl.len())
        if subjects["entries"].sum() <= limit:
            return
        # The addresses decide between equals: which are kept does not depend on the order of the rows.
        ordered = subjects.sort(
            "amount", "last", *SUBJECT, descending=[True, True, *(False for _ in SUBJECT)]
        )
        kept = ordered.filter(pl.col("entries").cum_sum() <= limit).select(*SUBJECT)
        self.evicted += subjects.height - kept.height
        self._totals.keep(kept)
        if self._by_item:
            self._items = self._kept().join(kept, on=list(SUBJECT), how="semi")

    def _hits(self) -> pl.DataFrame:
        """Subjects and slots that lie in such a window."""
        if self._by_item:
            counted, amount = self._kept(), pl.col("item").n_unique()
        else:
            counted, amount = self._totals.counts(), pl.col("count").sum()
        width = self._slots * self._slot_ns
        possible = self._possible(counted)
        if possible.is_empty():
            return possible.select(*SUBJECT, "minute")
        windows = (
            possible.with_columns(
                window=pl.int_ranges(
                    pl.col("minute") - width + self._slot_ns, pl.col("minute") + 1, self._slot_ns
                )
            )
            .explode("window")
            .group_by(*SUBJECT, "window")
            .agg(amount=amount)
            .filter(pl.col("amount") >= self._least)
        )
        return (
            windows.with_columns(
                minute=pl.int_ranges(pl.col("window"), pl.col("window") + width, self._slot_ns)
            )
            .explode("minute")
            .select(*SUBJECT, "minute")
            .unique()
        )

    def _possible(self, counted: pl.DataFrame) -> pl.DataFrame:
        """The rows of subjects that reach the threshold at all, in whatever time: most never do."""
        if counted.is_empty():
            return counted
        amount = pl.len() if self._by_item else pl.col("count").sum()
        enough = counted.group_by(*SUBJECT).agg(amount=amount).filter(pl.col("amount") >= self._least)
        return counted.join(enough, on=list(SUBJECT), how="semi")

    def _kept(self) -> pl.DataFrame:
        """The things, as many a subject and slot as are needed."""
        if self._pending:
            everything = pl.concat([self._items, *self._pending])
            first = everything.group_by(*SUBJECT, "minute", "item").agg(pl.col("first_ns").min())
            self._items = (
                first.sort("first_ns", "item")
                .group_by(*SUBJECT, "minute", maintain_order=True)
                .head(self._least)
                .select(*_ITEM)
            )
            self._pending, self._rows = [], 0
        return self._items
