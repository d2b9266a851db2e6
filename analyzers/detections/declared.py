"""What the policy declares of the rows that a detection looks at: whether it knows their client.

Rows have the columns of ROW: their service counts as recognised.
"""

from __future__ import annotations

import polars as pl

from policy.zoning import CompiledSite


def strangers(site: CompiledSite, rows: pl.DataFrame) -> pl.Series:
    """Whether each row's client has no business there: no rule allows it, and inside a zone nobody declared it."""
    known = site.rules.allow_rows(rows)
    return rows.select(
        pl.when("crosses")
        .then(~known)
        .otherwise(~pl.col("client_ip").is_in(list(site.assets_by_address)))
        .alias("strange")
    )["strange"]
