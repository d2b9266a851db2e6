"""Whole columns of addresses looked up in prefix maps."""

from __future__ import annotations

from typing import Any

import polars as pl

from policy.prefixes import PrefixMap


def intervals_of(prefixes: PrefixMap[Any], addresses: pl.Series) -> pl.Series:
    """The interval of each address: Binary(16) in, UInt32 out, nulls stay null; one search a distinct address."""
    distinct = addresses.drop_nulls().unique()
    # The first interval begins with the lowest address of all.
    table = pl.DataFrame(
        {"address": distinct, "interval": prefixes.starts.search_sorted(distinct, side="right") - 1},
        schema_overrides={"interval": pl.UInt32},
    )
    rows = addresses.rename("address").to_frame()
    return rows.join(table, on="address", how="left", maintain_order="left")["interval"]
