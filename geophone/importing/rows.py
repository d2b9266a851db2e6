"""An export in; its rows one by one out, each with its line, and those that cannot be read, each with the reason.

Nothing is kept but the row at hand: a broken one costs itself. A quote that is never closed would swallow the rest of
a file; it costs its own line.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final

from geophone.importing.mapping import Mapping

#: Longer lines are no rows.
LINE_LIMIT: Final = 256 * 1024
#: Lines that a quoted field may run over.
_QUOTED_LINES: Final = 32

Row = dict[str, str]


class Unreadable(Exception):
    """Why a row is not taken."""


def read_rows(source: BinaryIO, mapping: Mapping) -> Iterator[tuple[int, Row | Unreadable]]:
    """Line numbers from 1 and rows by the export's own column names."""
    lines = _Lines(source)
    return _json_rows(lines) if mapping.form == "jsonl" else _csv_rows(lines, mapping.delimiter)


class _Lines:
    """The lines of a file, each bounded; some can be given back."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._back: deque[tuple[int, str | Unreadable]] = deque()
        self._number = 0

    def next(self) -> tuple[int, str | Unreadable] | None:
        """The next line with its number; None at the end."""
        if self._back:
            return self._back.popleft()
        line = self._source.readline(LINE_LIMIT)
        if not line:
            return None
        self._number += 1
        if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
            while (rest := self._source.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
                pass
            return self._number, Unreadable(f"longer than {LINE_LIMIT // 1024} KiB")
        try:
            return self._number, line.decode("utf-8-sig" if self._number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            return self._number, Unreadable("not UTF-8 text")

    def give_back(self, lines: list[tuple[int, str | Unreadable]]) -> None:
        """Lines that come again, before all others."""
        self._back.extendleft(reversed(lines))


def _json_rows(lines: _Lines) -> Iterator[tuple[int, Row | Unreadable]]:
    while (taken := lines.next()) is not None:
        number, line = taken
        if isinstance(line, Unreadable):
            yield number, line
        elif line.strip():
            yield number, _json_row(line)


def _json_row(line: str) -> Row | Unreadable:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Unreadable("not a JSON object")
    if not isinstance(value, dict):
        return Unreadable("not a JSON object")
    return dict(_flat(value))


def _flat(value: dict[str, object], prefix: str = "", depth: int = 8) -> Iterator[tuple[str, str]]:
    """Values by their dotted keys, as text; lists are left out."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict) and depth:
            yield from _flat(inner, f"{name}.", depth - 1)
        elif isinstance(inner, bool):
            yield name, "true" if inner else "false"
        elif isinstance(inner, str | int | float):
            yield name, str(inner)


def _csv_rows(lines: _Lines, delimiter: str) -> Iterator[tuple[int, Row | Unreadable]]:
    header: list[str] | None = None
    while (taken := lines.next()) is not None:
        number, line = taken
        if isinstance(line, Unreadable):
            yield number, line
            continue
        if not line.strip():
            continue
        text, more = _whole_record(lines, line)
        cells = _cells(text, delimiter)
        if header is None and not isinstance(cells, Unreadable):
            header = cells
            continue
        row = _row(header or [], cells)
        if isinstance(row, Unreadable) and (more or text.count('"') % 2):
            # The quote was a mistake: what it took along are rows of their own.
            lines.give_back(more)
            row = Unreadable("a quote is never closed")
        yield number, row


def _whole_record(lines: _Lines, line: str) -> tuple[str, list[tuple[int, str | Unreadable]]]:
    """The line with those that its quoted fields run on over, and these lines."""
    text, more = line, list[tuple[int, "str | Unreadable"]]()
    while text.count('"') % 2 and len(more) < _QUOTED_LINES and len(text) < LINE_LIMIT:
        taken = lines.next()
        if taken is None:
            break
        more.append(taken)
        if isinstance(taken[1], Unreadable):
            break
        text = f"{text}\n{taken[1]}"
    return text, more


def _cells(text: str, delimiter: str) -> list[str] | Unreadable:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        return Unreadable(f"not a row of CSV: {error}")


def _row(header: list[str], cells: list[str] | Unreadable) -> Row | Unreadable:
    if isinstance(cells, Unreadable):
        return cells
    if len(cells) != len(header):
        return Unreadable(f"{len(cells)} columns where the header has {len(header)}")
    return dict(zip(header, cells, strict=True))
