"""When something was first seen, by whatever it is told apart by."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_PENDING_LIMIT = 50_000


class FirstTimes:
    """Keeps the first time of each combination of keys; grows with the combinations, not with rows."""

    def __init__(self, keys: Mapping[str, pl.DataType]) -> None:
        self._keys = list(keys)
        self._schema = {**keys, "seen_ns": pl.Int64()}
        self._known = pl.DataFrame(schema=self._schema)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, rows: pl.DataFrame, at_ns: pl.Expr) -> None:
        """Take rows that have the keys; `at_ns` is when each was seen."""
        if rows.is_empty():
            return
        fresh = rows.select(*self._keys, seen_ns=at_ns).group_by(self._keys).agg(pl.col("seen_ns").min())
        self._pending.append(fresh.select(*self._schema))
        self._rows += fresh.height
        if self._rows > max(_PENDING_LIMIT, self._known.height):
            self.all()

    def all(self) -> pl.DataFrame:
        """The keys and `seen_ns`, one row a combination."""
        if self._pending:
            everything = pl.concat([self._known, *self._pending])
            self._known = everything.group_by(self._keys).agg(pl.col("seen_ns").min()).select(*self._schema)
            self._pending, self._rows = [], 0
        return self._known
