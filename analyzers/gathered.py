"""Violations of many batches in; one row for each subject and minute out."""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.compact import compact
from analyzers.crowds import NO_CROWDS, TOLD_APART, Told, told_apart
from policy.violations import SUBJECT, VIOLATION, merged
from policy.zoning import CompiledSite

#: Rows gathered before they are added up: memory against time.
_PENDING_LIMIT: Final = 20_000
_KEYS: Final = [*SUBJECT, "minute"]


class Gathered:
    """The violations of one kind, added up from time to time; grows with subjects and minutes, not with rows.

    With a site it tells no more subjects apart than findings can need: all others are in `crowds`.
    """

    def __init__(self, site: CompiledSite | None = None) -> None:
        self._site = site
        self._total = pl.DataFrame(schema=VIOLATION)
        self._crowds = NO_CROWDS
        self._pending: list[pl.DataFrame] = []
        self._rows = 0
        #: Rows from which on crowds are made.
        self._told_apart = TOLD_APART

    def add(self, violations: pl.DataFrame) -> None:
        """Take columns of VIOLATION, from any batch and in any order."""
        if violations.is_empty():
            return
        self._pending.append(violations.select(*VIOLATION))
        self._rows += violations.height
        # As much again as there is already: each row is added up a bounded number of times.
        if self._rows > max(_PENDING_LIMIT, self._total.height):
            self.all()

    def keep(self, subjects: pl.DataFrame) -> None:
        """Forget all but these: rows of SUBJECT."""
        self._total = self.all().join(subjects, on=list(SUBJECT), how="semi")

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        later = pl.col("minute") >= before_ns
        self._total, self._crowds = self.all().filter(later), self._crowds.filter(later)

    def all(self) -> pl.DataFrame:
        """What was gathered up to now: columns of VIOLATION, one row a subject and minute."""
        if self._pending:
            fresh = pl.concat(self._pending)
            # An interface asks with every batch: what the batch does not touch is not added up again.
            touched = fresh.select(_KEYS).unique()
            again = self._total.join(touched, on=_KEYS, how="semi")
            rest = self._total.join(touched, on=_KEYS, how="anti")
            self._total = pl.concat([rest, merged(pl.concat([again, fresh])).select(*VIOLATION)])
            self._pending, self._rows = [], 0
            self._fold()
        return self._total

    def told(self) -> Told:
        """What was gathered up to now, and who is in crowds."""
        return Told(self.all(), self._crowds)

    def _fold(self) -> None:
        if self._site is None or self._total.height <= self._told_apart:
            return
        told = told_apart(self._site, Told(self._total, self._crowds))
        self._total, self._crowds = compact(told.apart), compact(told.crowds)
        # What stays is told apart: it is not looked through again before there is as much again.
        self._told_apart = max(TOLD_APART, 2 * self._total.height)
