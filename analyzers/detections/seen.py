"""When something was first seen, by whatever it is told apart by."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_PENDING_LIMIT = 50_000
#: Combinations that are kept, those that were seen first: who makes up more finds no room, and pushes nobody out.
KEPT_LIMIT = 262_144


class FirstTimes:
    """Keeps the first time of each combination of keys, KEPT_LIMIT at most; grows with those, not with rows."""

    def __init__(self, keys: Mapping[str, pl.DataType]) -> None:
        self._keys = list(keys)
        self._schema = {**keys, "seen_ns": pl.Int64(), "latest_ns": pl.Int64()}
        self._known = pl.DataFrame(schema=self._schema)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, rows: pl.DataFrame, at_ns: pl.Expr, latest_ns: pl.Expr | None = None) -> None:
        """Take rows that have the keys; `at_ns` is when each was seen, up to `latest_ns` where that is later."""
        if rows.is_empty():
            return
        fresh = self._by_key(
            rows.select(*self._keys, seen_ns=at_ns, latest_ns=at_ns if latest_ns is None else latest_ns)
        )
        self._pending.append(fresh)
        self._rows += fresh.height
        if self._rows > max(_PENDING_LIMIT, self._known.height):
            self._all()

    def forget(self, before_ns: int) -> None:
        """Forget the combinations that were not seen since."""
        self._known = self._all().filter(pl.col("latest_ns") >= before_ns)

    def all(self) -> pl.DataFrame:
        """The keys and `seen_ns`, one row a combination."""
        return self._all().drop("latest_ns")

    def _all(self) -> pl.DataFrame:
        if self._pending:
            known = self._by_key(pl.concat([self._known, *self._pending]))
            if known.height > KEPT_LIMIT:
                known = known.sort("seen_ns", *self._keys).head(KEPT_LIMIT)
            self._known = known
            self._pending, self._rows = [], 0
        return self._known

    def _by_key(self, rows: pl.DataFrame) -> pl.DataFrame:
        added = rows.group_by(self._keys).agg(pl.col("seen_ns").min(), pl.col("latest_ns").max())
        return added.select(*self._schema)
