"""Rows of many batches in; worked on many at a time. A call on a small batch costs as much as ten thousand rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

#: Rows that wait: memory against time.
ROWS_LIMIT: Final = 65_536


class Heap:
    """Rows that wait until they are worth a call: the same rows go out as come in, in their order."""

    def __init__(self, columns: Sequence[str], work: Callable[[pl.DataFrame], None]) -> None:
        """Of what is added, these columns are kept and given to `work`."""
        self._columns = [*columns]
        self._work = work
        self._parts: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows; nothing else of them is kept."""
        if rows.is_empty():
            return
        self._parts.append(rows.select(self._columns))
        self._rows += rows.height
        if self._rows >= ROWS_LIMIT:
            self.clear()

    def clear(self) -> None:
        """Give out what waits."""
        if self._parts:
            rows = pl.concat(self._parts)
            self._parts, self._rows = [], 0
            self._work(rows)


class Sum:
    """Rows of several batches, added up by whoever made them."""

    def __init__(self, added: Callable[[pl.DataFrame], pl.DataFrame], pending_limit: int = 50_000) -> None:
        """`added` takes rows of any number of batches and adds those of one key up."""
        self._added = added
        self._pending_limit = pending_limit
        self._parts: list[pl.DataFrame] = []
        self._pending_rows = self._added_rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """One batch's rows."""
        self._parts.append(rows)
        self._pending_rows += rows.height
        # As many again as there are already: each row is added up a bounded number of times.
        if self._pending_rows > max(self._pending_limit, self._added_rows):
            total = self._added(pl.concat(self._parts))
            self._parts, self._pending_rows, self._added_rows = [total], 0, total.height

    @property
    def rows(self) -> int:
        """Rows held, whether added up or not."""
        return self._pending_rows + self._added_rows

    def put(self, total: pl.DataFrame) -> None:
        """Hold these rows in the place of all that came."""
        self._parts, self._pending_rows, self._added_rows = [total], 0, total.height

    def total(self) -> pl.DataFrame | None:
        """All of them; None where none came."""
        if len(self._parts) > 1 or self._pending_rows:
            self._parts = [self._added(pl.concat(self._parts))]
            self._pending_rows, self._added_rows = 0, self._parts[0].height
        return self._parts[0] if self._parts else None
