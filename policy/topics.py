"""MQTT topics and filters asked for in; which of them lie within the filters of a rule, out. Whole columns.

A filter within a filter is one that can never match a topic that the other does not match. Source: MQTT 5.0, 4.7
(wildcards, topics that begin with `$`) and 4.8.2 (shared subscriptions).
"""

from __future__ import annotations

from typing import Final

import polars as pl

_SHARED: Final = r"^\$share/[^/]*/"


def within(pairs: pl.DataFrame) -> pl.Series:
    """Whether `asked`, a topic or a filter, lies within `filter`, row by row. Both String; Boolean out."""
    numbered = pairs.select("asked", "filter").with_row_index("pair")
    asked = pl.col("asked").str.replace(_SHARED, "")
    sides = numbered.with_columns(
        asked.str.split("/").alias("asked_levels"), pl.col("filter").str.split("/").alias("filter_levels")
    )
    sides = sides.with_columns(
        asked_deep=pl.col("asked_levels").list.last() == "#",
        filter_deep=pl.col("filter_levels").list.last() == "#",
    )
    asked_depth = pl.col("asked_levels").list.len() - pl.col("asked_deep").cast(pl.UInt32)
    filter_depth = pl.col("filter_levels").list.len() - pl.col("filter_deep").cast(pl.UInt32)
    # `#` takes in the level above it too: a/# matches a.
    deep_enough = (
        pl.when("filter_deep")
        .then(asked_depth >= filter_depth)
        .otherwise(~pl.col("asked_deep") & (asked_depth == filter_depth))
    )
    # A wildcard at the first level does not match topics of the broker's own.
    of_broker = asked.str.starts_with("$") & pl.col("filter_levels").list.first().is_in(["#", "+"])
    fitting = sides.select("pair", "filter_levels", "asked_levels", fits=deep_enough & ~of_broker)
    return fitting.with_columns(pl.col("fits") & ~pl.col("pair").is_in(_differing(fitting).implode()))["fits"]


def _differing(sides: pl.DataFrame) -> pl.Series:
    """The pairs that differ at one of the filter's levels, of those that are deep enough."""
    levels = (
        sides.filter("fits")
        .select("pair", "asked_levels", wanted="filter_levels")
        .with_columns(level=pl.int_ranges(pl.col("wanted").list.len()))
        .explode("wanted", "level")
        .filter(pl.col("wanted") != "#")
    )
    # A wildcard in what is asked is no word that a filter could have: only a wildcard takes it in.
    got = pl.col("asked_levels").list.get(pl.col("level"), null_on_oob=True)
    return levels.filter((pl.col("wanted") != "+") & (got != pl.col("wanted")))["pair"].unique()
