"""Traffic as it comes in; measured minutes out, each once it is over. For a capture that has no end yet.

A minute is measured when the one after it is over: a request may stay unanswered for a minute before it counts as
that. Whatever comes later still for a minute that was measured is not counted, and said (`late_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import pyarrow as pa

from analyzers.frames import frame_of
from analyzers.sla import Meter, MinuteNotes
from policy.traffic import Traffic
from policy.zoning import CompiledSite
from sensors.records import COVERAGE

#: The tables of Traffic that are measured, and where each says when.
_TIMES: Final = {
    "flow_minutes": "minute",
    **dict.fromkeys(("modbus", "opcua", "mqtt", "operations", "rtt"), "ts"),
}


class Minutes:
    """One Meter for each minute that is not measured yet; grows with the minutes' conversations, not with time."""

    def __init__(self, site: CompiledSite, notes: Sequence[MinuteNotes] = ()) -> None:
        """Nothing is measured yet; the notes are taken of each minute when it is measured, in their order."""
        self._site = site
        self._notes = notes
        self._open: dict[int, Meter] = {}
        self._measured_to: int | None = None
        #: Rows that came for a minute after it was measured.
        self.late_rows = 0

    def feed(self, traffic: Traffic, coverage: pa.RecordBatch | None = None) -> list[pa.RecordBatch]:
        """Add one batch; rows of SLA_MINUTES of the minutes that are over with it."""
        told = (
            frame_of({COVERAGE.name: coverage}, COVERAGE) if coverage is not None else frame_of({}, COVERAGE)
        )
        parts = {name: _by_minute(getattr(traffic, name), column) for name, column in _TIMES.items()}
        covered = _by_minute(told, "minute")
        for minute in sorted(set().union(covered, *parts.values())):
            rows = {name: part[minute] for name, part in parts.items() if minute in part}
            if self._measured_to is not None and minute <= self._measured_to:
                self.late_rows += sum(len(part) for part in rows.values())
                continue
            meter = self._open.setdefault(minute, Meter(self._site, self._notes))
            cut = covered.get(minute)
            meter.feed(Traffic.of(**rows), None if cut is None else _batch(cut))
        # The engine writes a minute's coverage last of all, when the minute has ended.
        over = [minute for minute in self._open if any(later > minute for later in covered)]
        return self._measure(over)

    def finish(self) -> list[pa.RecordBatch]:
        """Rows of all minutes that are left: the capture has ended."""
        return self._measure(list(self._open))

    def _measure(self, minutes: list[int]) -> list[pa.RecordBatch]:
        found = []
        for minute in sorted(minutes):
            rows = self._open.pop(minute).finish()
            self._measured_to = minute
            if rows.num_rows:
                found.append(rows)
        return found


def _by_minute(rows: pl.DataFrame, column: str) -> dict[int, pl.DataFrame]:
    """Rows by the minute that they belong to, in ns since the epoch."""
    if rows.is_empty():
        return {}
    parts = rows.with_columns(pl.col(column).dt.truncate("1m").dt.epoch("ns").alias("_of")).partition_by(
        "_of", as_dict=True, include_key=False
    )
    return {int(key[0]): part for key, part in parts.items()}


def _batch(rows: pl.DataFrame) -> pa.RecordBatch:
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.combine_chunks().to_batches()[0]
