"""Whole columns of addresses looked up in prefix maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import polars as pl

from policy.prefixes import PrefixMap


def intervals_of(prefixes: PrefixMap[Any], addresses: pl.Series) -> pl.Series:
    """The interval of each address: Binary(16) in, UInt32 out, nulls stay null; one search a distinct address."""
    distinct = addresses.drop_nulls().unique()
    # The first interval begins with the lowest address of all.
    table = pl.DataFrame(
        {"address": distinct, "interval": _starts(prefixes).search_sorted(distinct, side="right") - 1},
        schema_overrides={"interval": pl.UInt32},
    )
    rows = addresses.rename("address").to_frame()
    return rows.join(table, on="address", how="left", maintain_order="left")["interval"]


#: A policy has three maps; a process sees few policies.
@lru_cache(maxsize=32)
def _starts(prefixes: PrefixMap[Any]) -> pl.Series:
    """Where each interval begins: Binary(16), sorted. Made here: checking a policy does without the column engine."""
    return pl.Series(prefixes.starts, dtype=pl.Binary())
