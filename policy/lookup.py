"""Whole columns of addresses looked up in prefix maps."""

from __future__ import annotations

from typing import Any

import polars as pl

from policy.prefixes import PrefixMap


def intervals_of(prefixes: PrefixMap[Any], addresses: pl.Series) -> pl.Series:
    """The interval of each address: Binary(16) in, UInt32 out, nulls stay null; one search a distinct address."""
    distinct = addresses.unique()
    found = [None if address is None else prefixes.interval(address) for address in distinct]
    table = pl.DataFrame({"address": distinct, "interval": pl.Series(found, dtype=pl.UInt32)})
    joined = (
        addresses.rename("address")
        .to_frame()
        .join(table, on="address", how="left", maintain_order="left", nulls_equal=True)
    )
    return joined["interval"]
