"""Modbus transactions in; who asked for which functions, and who wrote what into which coil or register, out.

A write is a fact of every coil and register it touches, so that a write of others, next to them, is not known by it.
Addresses are 0-based protocol addresses (MODBUS Application Protocol V1.1b3, 6).
"""

from __future__ import annotations

from typing import Final

import polars as pl

_COILS: Final = (5, 15)
_HOLDING: Final = (6, 16, 22, 23)
_MASK_WRITE: Final = 22
_WRITE_FILE: Final = 21
#: The most that one request can write (6.11: 1,968 coils).
_MOST_WRITTEN: Final = 1_968

#: Transactions that may have been carried out; one-sided captures show requests alone.
NOT_REFUSED: Final = ("answered", "unanswered", "pending")
WRITES: Final = pl.col("function").is_in([*_COILS, *_HOLDING, _WRITE_FILE])


def asked(rows: pl.DataFrame) -> pl.DataFrame:
    """Requests; `what` is `unit 1, function 3`."""
    known = rows.filter(pl.col("outcome").is_in(NOT_REFUSED))
    return known.with_columns(what=pl.format("unit {}, function {}", "unit", "function"))


def written(rows: pl.DataFrame) -> pl.DataFrame:
    """Writes that were not refused: see `places_written`."""
    return places_written(rows.filter(pl.col("outcome").is_in(NOT_REFUSED)))


def places_written(rows: pl.DataFrame) -> pl.DataFrame:
    """Writes, a row a coil or register; `what` is `unit 1, holding 300`, or `unit 1, files`; `value` what it got.

    The value is null where it was not kept (the first 128 of a request are) or depends on what was there (a mask).
    """
    function = pl.col("function")
    writes = rows.filter(WRITES)
    start, many = _touched()
    places = (
        writes.filter((function != _WRITE_FILE) & start.is_not_null())
        .with_columns(place=pl.int_ranges(start, (start + many).clip(upper_bound=65_536)))
        .with_columns(value=_values())
        .explode("place", "value")
        .filter(pl.col("place").is_not_null())
        .with_columns(
            what=pl.format(
                "unit {}, {} {}",
                "unit",
                pl.when(function.is_in(_COILS)).then(pl.lit("coil")).otherwise(pl.lit("holding")),
                "place",
            )
        )
        .drop("place")
    )
    files = writes.filter(function == _WRITE_FILE).with_columns(
        what=pl.format("unit {}, files", "unit"), value=pl.lit(None, pl.Int64)
    )
    return pl.concat([places, files.select(places.columns)])


def ranges_written(rows: pl.DataFrame) -> pl.DataFrame:
    """Writes, a row a transaction; `what` is all that it touches: `unit 1, holding 300-303`, `unit 1, files`."""
    function = pl.col("function")
    start, many = _touched()
    kind = pl.when(function.is_in(_COILS)).then(pl.lit("coil")).otherwise(pl.lit("holding"))
    one = pl.format("unit {}, {} {}", "unit", kind, start)
    last = (start + many - 1).clip(upper_bound=65_535)
    return rows.filter(WRITES & ((function == _WRITE_FILE) | start.is_not_null())).with_columns(
        what=pl.when(function == _WRITE_FILE)
        .then(pl.format("unit {}, files", "unit"))
        .when(last > start)
        .then(pl.format("{}-{}", one, last))
        .otherwise(one)
    )


def _touched() -> tuple[pl.Expr, pl.Expr]:
    """The first place that a write touches, and how many."""
    start = pl.coalesce("write_address", "address").cast(pl.Int64)
    told = pl.when(pl.col("function").is_in([15, 16])).then("quantity")
    return start, pl.coalesce("write_quantity", told).cast(pl.Int64).fill_null(1).clip(1, _MOST_WRITTEN)


def _values() -> pl.Expr:
    """The values by place: as many as there are places, null for those that are not known."""
    count = pl.col("place").list.len()
    values = pl.col("values_written").cast(pl.List(pl.Int64))
    masked = pl.col("function") == _MASK_WRITE
    known = pl.when(masked).then(values.list.head(0)).otherwise(values.list.head(count))
    missing = pl.lit(None, pl.Int64).repeat_by(count - known.list.len())
    return pl.concat_list(known, missing)
