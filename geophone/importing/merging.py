"""Canonical lines in, in any order and more than once; a file that has each once, sorted, out.

The lines wait in a database on disk: a million of them are not a million in memory. What the file had before stays, so
importing the same export again changes no byte.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from geophone.errors import UsageProblem
from sensors.whole_file import whole_file

_BATCH: Final = 10_000
#: Pages of the database that are held in memory, KiB.
_CACHE_KIB: Final = 16_384


class Merged:
    """Lines that a file will have; use it as a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="geophone-import-")
        self._lines = sqlite3.connect(Path(self._folder.name) / "lines.sqlite")
        self._lines.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Thrown away at the end: nothing of it has to survive anything.
        self._lines.execute("PRAGMA journal_mode = OFF")
        self._lines.execute("PRAGMA synchronous = OFF")
        self._lines.execute("CREATE TABLE lines (line TEXT PRIMARY KEY) WITHOUT ROWID")
        self._waiting: list[tuple[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._folder.cleanup()

    def add(self, line: str) -> None:
        """One more line, known or not."""
        self._waiting.append((line,))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def add_file(self, path: Path) -> None:
        """The lines of an earlier import. Raises UsageProblem."""
        try:
            with path.open(encoding="utf-8") as source:
                for line in source:
                    self.add(line.rstrip("\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageProblem(f"-o {path}: cannot be read, and would be replaced: {error}") from None

    def __len__(self) -> int:
        self._flush()
        (number,) = self._lines.execute("SELECT count(*) FROM lines").fetchone()
        return int(number)

    def write(self, path: Path) -> None:
        """The file, whole or not at all. Raises UsageProblem."""
        self._flush()
        try:
            with whole_file(path) as out:
                rows: Iterable[tuple[str]] = self._lines.execute("SELECT line FROM lines ORDER BY line")
                for (line,) in rows:
                    out.write(line.encode() + b"\n")
        except OSError as error:
            raise UsageProblem(f"-o {path}: {error.strerror or error}") from None

    def _flush(self) -> None:
        if self._waiting:
            self._lines.executemany("INSERT OR IGNORE INTO lines VALUES (?)", self._waiting)
            self._waiting = []
