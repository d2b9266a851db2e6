"""A capture in; our own rows of some tables, handed out as Wireshark's reading moves on, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa

from sensors.capture import Capture
from sensors.engine import DecodeRun, EngineLimits, decode

#: Frames decoded at a step: few, so that what waits for Wireshark stays small.
_STEP_FRAMES: Final = 4_096

OwnRow = dict[str, Any]


class OwnRows:
    """Rows of `tables`, in the order in which the engine finishes them; memory is one step's rows."""

    def __init__(self, capture: Capture, tables: Iterable[str], limits: EngineLimits | None) -> None:
        self._tables = tuple(tables)
        self._run: DecodeRun = decode(capture, limits=limits, max_packets=_STEP_FRAMES)
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.close()

    def up_to(self, frame: int) -> Iterator[tuple[str, OwnRow]]:
        """Rows that were finished up to that frame at least, as (table, row)."""
        while not self._ended and self._frames() < frame:
            yield from self._step()

    def rest(self) -> Iterator[tuple[str, OwnRow]]:
        """All other rows."""
        while not self._ended:
            yield from self._step()

    def summary(self) -> dict[str, Any]:
        """What the engine says of the capture as a whole; complete after `rest`."""
        return dict(self._run.summary())

    def _frames(self) -> int:
        return int(self.summary()["frames"])

    def _step(self) -> Iterator[tuple[str, OwnRow]]:
        batches = next(self._run, None)
        if batches is None:
            self._ended = True
            return
        for table in self._tables:
            if table in batches:
                for row in plain(batches[table]):
                    yield table, row


def plain(batch: pa.RecordBatch) -> list[OwnRow]:
    """Rows as dictionaries, times as integers: Python's own datetime has no nanoseconds."""
    columns = [
        column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in batch.columns
    ]
    rows: list[OwnRow] = pa.RecordBatch.from_arrays(columns, names=batch.schema.names).to_pylist()
    return rows
