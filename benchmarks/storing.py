"""Batches in; the rows of a replay in an embedded store of a temporary folder, as `geophone replay` writes them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from analyzers.findings import Finding
from geophone import __version__
from geophone.tally import Tally
from sensors.engine import Batches
from sensors.records import TABLES
from store.client import open_store
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter

_STORED: Final = frozenset(table.name for table in TABLES if table.stored)


class Keeping:
    """Writes what one replay brings."""

    def __init__(self, writer: ReplayWriter) -> None:
        self._writer = writer
        self._tally = Tally()

    def add(self, batches: Batches) -> None:
        """One batch."""
        self._tally.add(batches)
        for name, batch in batches.items():
            if name in _STORED:
                self._writer.write(name, batch)

    def finish(self, minutes: pa.RecordBatch, findings: Sequence[Finding]) -> None:
        """The measured minutes and the findings; afterwards everything is stored."""
        self._writer.write("sla_minutes", minutes)
        tally = self._tally
        outcome = ReplayOutcome(
            0, 0, tally.packets, tally.malformed_packets, tally.flows, tally.transactions, "", tally.coverage
        )
        self._writer.finish(findings, outcome)


@contextmanager
def keeping(capture: Path) -> Iterator[Keeping]:
    """A store of its own for one replay; what opening it costs is over when this is entered."""
    start = ReplayStart(
        "bench", capture.name, "0" * 64, capture.stat().st_size, "bench", "0" * 64, "", __version__
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder) / "store") as store,
        ReplayWriter(store, start) as writer,
    ):
        yield Keeping(writer)
