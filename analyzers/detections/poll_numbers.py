"""Modbus reads in; a number for what each asks of whom out.

Polls are told apart by addresses, which are compared once a flow: from there on by one whole number, so that looking up
tens of thousands of rows takes a fraction of what it takes with seven columns.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from analyzers.detections.modbus_rows import PAIR

#: Function codes 1 to 4: coils, discrete inputs, holding registers, input registers.
READS: Final = (1, 2, 3, 4)
#: What `PollNumbers.of` reads.
ASKED: Final = ("flow_id", "turned", *PAIR, "unit", "function", "address", "quantity")

#: Sixteen bits, or nothing.
_MAYBE: Final = (1 << 16) + 1
#: Different requests that one client may have for one server; 2^63 holds those of two million pairs.
_SHAPES: Final = len(READS) * 256 * _MAYBE * _MAYBE


class PollNumbers:
    """Numbers polls from 0, first come first: who comes when there is no room left has none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys = pl.DataFrame(schema={"key": pl.Int64(), "place": pl.UInt32()})
        #: Those that polls are numbered of; the row is their number.
        self._pairs = pl.DataFrame(schema=PAIR)

    def of(self, rows: pl.DataFrame) -> npt.NDArray[np.int64]:
        """The number of each row's poll, -1 where it has none. Columns used: ASKED, of reads alone."""
        pairs, of_row = self._numbered(rows)
        asked = _keys(rows, of_row)
        places = self._places(asked)
        room = self._limit - self._keys.height
        if room and places.null_count():
            new = _first_of(asked.filter(places.is_null()), room)
            new = new.with_columns(place=pl.int_range(new.height, dtype=pl.UInt32) + self._keys.height)
            self._keys = pl.concat([self._keys, new], rechunk=True)
            places = self._places(asked)
            # Each pair that is new has a new poll in its first row: those with room are the first ones.
            last = int(new.select(pl.col("key").max()).item()) // _SHAPES
            self._pairs = pairs.head(max(self._pairs.height, last + 1))
        return places.cast(pl.Int64).fill_null(-1).to_numpy()

    def _places(self, asked: pl.DataFrame) -> pl.Series:
        return asked.join(self._keys, on="key", how="left", maintain_order="left")["place"]

    def _numbered(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """All pairs, the new ones behind those that are kept; and the number of each row's."""
        # Within a flow and a direction of asking the ends are always the same.
        side = rows.select(side=pl.col("flow_id").cast(pl.Int64) * 2 + pl.col("turned"))
        sides = side.with_row_index("row").unique("side", keep="first", maintain_order=True)
        ends = rows.select(*PAIR)[sides["row"]]
        pairs = pl.concat([self._pairs, ends]).unique(maintain_order=True)
        number = ends.join(pairs.with_row_index("pair"), on=list(PAIR), how="left", maintain_order="left")
        of_side = sides.select("side", number["pair"].cast(pl.Int64))
        return pairs, side.join(of_side, on="side", how="left", maintain_order="left")["pair"]


def _first_of(keys: pl.DataFrame, room: int) -> pl.DataFrame:
    """The first different ones, as many as there is room for. Where nearly all differ, few need be looked at."""
    first = keys.head(2 * room).unique(maintain_order=True)
    return (first if first.height >= room else keys.unique(maintain_order=True)).head(room)


def _keys(rows: pl.DataFrame, pair: pl.Series) -> pl.DataFrame:
    """Pair and request in one number, the pair above all else."""
    key = pair.alias("key").to_frame()
    shape = (pl.col("function").cast(pl.Int64) - READS[0]) * 256 + pl.col("unit").cast(pl.Int64)
    for name in ("address", "quantity"):
        shape = shape * _MAYBE + pl.col(name).cast(pl.Int64).fill_null(_MAYBE - 1)
    return key.select(pl.col("key") * _SHAPES + rows.select(shape.alias("shape"))["shape"])
