"""A flow and its minute as one number; whole columns of them in, the conversations that they belong to out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_MINUTE_NS: Final = 60_000_000_000
_FLOW_BITS: Final = 32
_FLOW: Final = (1 << _FLOW_BITS) - 1
#: A table of all flows in all minutes may have so many places, whatever is looked up: 4 MB.
_PLACES: Final = 1 << 20
#: And so many for each number that is looked up: below, the table costs less than a join, and no more memory.
_PLACES_EACH: Final = 8


def flow_minute(at: str) -> pl.Expr:
    """Of rows with `flow_id` and the time `at`: the flow and its minute, Int64."""
    minute = pl.col(at).dt.epoch("ns") // _MINUTE_NS
    return (minute * (1 << _FLOW_BITS) + pl.col("flow_id").cast(pl.Int64)).alias("flow_minute")


class Numbered:
    """Looks up the conversations of flows' minutes: in a table where that is small, else by a join."""

    def __init__(self, flows: pl.DataFrame, asked: int) -> None:
        """`flows`: the `conversation` (below 2^31) of each `flow_minute` that has one. So many will be `asked` for."""
        self._flows = flows.select("flow_minute", pl.col("conversation").cast(pl.Int32))
        minute, flow = _parts(flows["flow_minute"])
        self._minutes, self._numbers = _span(minute), _span(flow)
        self._table: npt.NDArray[np.int32] | None = None
        places = len(self._minutes) * len(self._numbers)
        if places <= max(_PLACES, _PLACES_EACH * asked):
            self._table = np.full(places, -1, dtype=np.int32)
            self._table[self._place(minute, flow)] = self._flows["conversation"].to_numpy()

    def conversations(self, flow_minutes: pl.Series) -> npt.NDArray[np.int32]:
        """The conversation of each, -1 where it has none."""
        found: npt.NDArray[np.int32]
        if self._table is None:
            asked = flow_minutes.to_frame("flow_minute")
            joined = asked.join(self._flows, on="flow_minute", how="left", maintain_order="left")
            found = joined["conversation"].fill_null(-1).to_numpy()
            return found
        minute, flow = _parts(flow_minutes)
        if _within(_span(minute), self._minutes) and _within(_span(flow), self._numbers):
            return self._table[self._place(minute, flow)]
        inside = (minute >= self._minutes.start) & (minute < self._minutes.stop)
        inside &= (flow >= self._numbers.start) & (flow < self._numbers.stop)
        found = np.full(len(flow_minutes), -1, dtype=np.int32)
        found[inside] = self._table[self._place(minute[inside], flow[inside])]
        return found

    def _place(self, minute: npt.NDArray[np.int64], flow: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        first = self._minutes.start * len(self._numbers) + self._numbers.start
        return minute * len(self._numbers) + flow - first


def _parts(flow_minutes: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    numbers = flow_minutes.to_numpy()
    return numbers >> _FLOW_BITS, numbers & _FLOW


def _span(numbers: npt.NDArray[np.int64]) -> range:
    return range(int(numbers.min()), int(numbers.max()) + 1) if len(numbers) else range(0)


def _within(part: range, whole: range) -> bool:
    return not part or (part.start >= whole.start and part.stop <= whole.stop)
