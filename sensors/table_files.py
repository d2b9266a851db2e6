"""Batches in; files of readable rows, a folder a table, out, while the rows still come.

A file holds the rows of a while and appears whole or not at all: `FOLDER/modbus/20261122T064100.000000Z.parquet`,
named by the UTC time at which it was begun. Where a file cannot be written (a full disk), its rows are counted as
lost and the next file is tried all the same. Where flows are numbered anew, a folder in FOLDER takes the files from
then on (`FOLDER/from-20261122T064100.000000Z/modbus/…`): within one, a flow_id is one flow.
"""

from __future__ import annotations

import io
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from sensors.decode import Format, write_file, write_table
from sensors.engine import Batches
from sensors.records import TABLES

#: Rows of one table that are kept in memory at most, before their file is written.
_ROWS_KEPT: Final = 1 << 20

_NAME: Final = "%Y%m%dT%H%M%S.%fZ"


def rehearse(file_format: Format) -> None:
    """Write every table without a row to nowhere: whatever that needs is imported, and not later."""
    for table in TABLES:
        nothing = pa.RecordBatch.from_arrays(
            [pa.array([], f.type) for f in table.schema()], schema=table.schema()
        )
        write_table([{table.name: nothing}], table.name, file_format, io.BytesIO())


class TableFiles:
    """Writes every table's rows to files of its own."""

    def __init__(
        self,
        folder: Path,
        file_format: Format,
        every_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = self._folder = folder
        self._format = file_format
        self._every_s = every_s
        self._clock = clock
        self._kept: defaultdict[str, list[Batches]] = defaultdict(list)
        self._rows: Counter[str] = Counter()
        self._begun_s = clock()
        #: What the disk said last; empty when the last file was written.
        self.trouble = ""
        self.rows_written: Counter[str] = Counter()
        self.rows_lost: Counter[str] = Counter()

    def add(self, batches: Batches) -> None:
        """Keep these rows, and write what is due."""
        for name, batch in batches.items():
            self._kept[name].append({name: batch})
            self._rows[name] += batch.num_rows
        if self._clock() - self._begun_s >= self._every_s or any(
            n >= _ROWS_KEPT for n in self._rows.values()
        ):
            self.flush()

    def flush(self) -> None:
        """Write every row that is kept."""
        begun = datetime.fromtimestamp(self._begun_s, UTC).strftime(_NAME)
        for table in TABLES:
            if kept := self._kept.pop(table.name, None):
                self._write(table.name, kept, begun)
        self._kept.clear()
        self._rows.clear()
        # A file's name tells it from the one before: time passes, even where a clock was set back.
        self._begun_s = max(self._clock(), self._begun_s + 1e-3)

    def begin_anew(self) -> Path:
        """Flows are numbered anew: the folder of what comes from now on."""
        self.flush()
        begun = datetime.fromtimestamp(self._begun_s, UTC).strftime(_NAME)
        self._folder = self._root / f"from-{begun}"
        return self._folder

    def _write(self, table: str, kept: list[Batches], begun: str) -> None:
        file = self._folder / table / f"{begun}.{self._format.value}"
        try:
            if self._folder != self._root:
                self._folder.mkdir(exist_ok=True)
            file.parent.mkdir(exist_ok=True)
            self.rows_written[table] += write_file(kept, table, self._format, file)
        except OSError as error:
            self.trouble = f"{file}: {error.strerror or error}"
            self.rows_lost[table] += sum(batch.num_rows for batches in kept for batch in batches.values())
        else:
            self.trouble = ""
