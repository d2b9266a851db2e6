"""A few rows of a large frame in; the same rows in memory of their own out."""

from __future__ import annotations

import polars as pl


def compact(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, which keep nothing else alive.

    A column of texts or addresses points into buffers, and what is filtered goes on pointing into those of all rows: a
    thousand rows of a million would hold the memory of the million.
    """
    copied = pl.DataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return copied.cast(rows.schema) if copied.schema != rows.schema else copied
