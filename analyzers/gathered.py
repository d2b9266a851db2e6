"""Violations of many batches in; one row for each subject and minute out."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.violations import SUBJECT, VIOLATION, merged

#: Rows gathered before they are added up: memory against time.
_PENDING_LIMIT: Final = 50_000
_KEYS: Final = [*SUBJECT, "minute"]


class Gathered:
    """The violations of one kind, added up from time to time; grows with subjects and minutes, not with rows."""

    def __init__(self) -> None:
        self._total = pl.DataFrame(schema=VIOLATION)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0

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
        self._total = self.all().filter(pl.col("minute") >= before_ns)

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
        return self._total
