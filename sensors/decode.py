"""A decode run and a table's name in; that table's rows as JSON lines, CSV, Parquet or Arrow out, streaming.

Every format is made for people and for pandas: addresses and MAC addresses are text (`10.0.0.1`, IPv6 as in
RFC 5952, `00:00:5e:00:53:01`, empty where the link has none), and so are the words of closed sets. Times are
RFC 3339 with nanoseconds in JSON lines and CSV, native nanosecond timestamps in Parquet and Arrow. Lists are
JSON arrays in JSON lines and CSV, native lists elsewhere. The same capture gives the same bytes, whatever its
batches were.
"""

from __future__ import annotations

import difflib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sensors.addresses import address_text, mac_text
from sensors.engine import Batches
from sensors.records import TABLES, Column, Kind, Table
from sensors.whole_file import whole_file

#: Exit status of a program whose reader went away: 128 + SIGPIPE, as the shell reports `yes | head`.
READER_GONE_EXIT: Final = 128 + signal.SIGPIPE

#: Rows of a Parquet row group or an Arrow batch: bounds memory.
_ROWS_PER_GROUP: Final = 131_072

_RFC3339: Final = "%Y-%m-%dT%H:%M:%S%.9fZ"


class Format(StrEnum):
    """What `geophone decode --format` writes."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    #: The Arrow IPC file format, also known as Feather 2.
    ARROW = "arrow"


class UnknownTable(Exception):
    """The user asked for a table that is not decoded."""

    def __init__(self, name: str) -> None:
        names = [table.name for table in TABLES]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}" if close else "there are " + ", ".join(names)
        super().__init__(f"--table {name}: no such table; {hint}")


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A column as `--list` shows it: its type is the one that is written."""

    name: str
    type: str
    unit: str
    nullable: bool
    doc: str


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as `--list` shows it."""

    name: str
    doc: str
    columns: tuple[ColumnDescription, ...]


def list_tables() -> tuple[TableDescription, ...]:
    """Every table that can be written, its columns in order."""
    return tuple(
        TableDescription(
            table.name,
            table.doc,
            tuple(
                ColumnDescription(c.name, str(_written_type(c)), c.unit, c.nullable, c.doc)
                for c in table.columns
            ),
        )
        for table in TABLES
    )


def find_table(name: str) -> Table:
    """The declared table of that name; raises UnknownTable."""
    for table in TABLES:
        if table.name == name:
            return table
    raise UnknownTable(name)


def write_table(run: Iterable[Batches], table: str, file_format: Format | str, out: BinaryIO) -> int:
    """Write every row of one table to `out` and give their number; memory: a batch and a row group.

    Raises UnknownTable, ValueError (no such format), what the run raises, and the OSError of `out`, among them
    BrokenPipeError. A CSV has its header and a Parquet or Arrow file its schema where there are no rows, too.
    """
    declared = find_table(table)
    writer = _WRITERS[Format(file_format)](written_schema(declared), out)
    count = 0
    try:
        for batches in run:
            if (batch := batches.get(declared.name)) is not None:
                writer.write(readable(batch, declared))
                count += batch.num_rows
            elif not batches:
                # Nothing comes at the moment: whoever reads along sees what came.
                out.flush()
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return count


def write_file(run: Iterable[Batches], table: str, file_format: Format | str, path: Path) -> int:
    """`write_table` to a file that appears whole or not at all."""
    with whole_file(path) as out:
        return write_table(run, table, file_format, out)


def write_stdout(run: Iterable[Batches], table: str, file_format: Format | str) -> int:
    """`write_table` to standard output; gives the exit status: 0, or 141 when the reader left (`| head`)."""
    # Opened anew: under PYTHONUNBUFFERED Python's own writes only as much as the pipe takes.
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        try:
            write_table(run, table, file_format, out)
            out.flush()
        except BrokenPipeError:
            # What is still buffered has no reader: the null device takes it, so that closing does not complain.
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, sys.stdout.fileno())
            os.close(devnull)
            return READER_GONE_EXIT
    return 0


def readable(batch: pa.RecordBatch, table: Table) -> pa.Table:
    """The rows with addresses, MAC addresses and words as text: the types of `written_schema`."""
    arrays = [_as_text(batch.column(column.name), column.kind) for column in table.columns]
    return pa.table(arrays, schema=written_schema(table))


def written_schema(table: Table) -> pa.Schema:
    """The Arrow schema that is written; each field carries its `doc` and `unit` as metadata."""
    return pa.schema(
        [
            pa.field(
                c.name, _written_type(c), c.nullable, {"doc": c.doc} | ({"unit": c.unit} if c.unit else {})
            )
            for c in table.columns
        ],
        {"table": table.name, "doc": table.doc},
    )


def _written_type(column: Column) -> pa.DataType:
    if column.kind in (Kind.ADDRESS, Kind.MAC, Kind.NAME):
        return pa.utf8()
    return column.kind.arrow


def _as_text(values: pa.Array, kind: Kind) -> pa.Array:
    """The values as they are written."""
    match kind:
        case Kind.ADDRESS:
            return _translated(values, address_text)
        case Kind.MAC:
            return _translated(values, mac_text)
        case Kind.NAME:
            return values.cast(pa.utf8())
        case _:
            return values


def _translated(values: pa.Array, to_text: Callable[[Any], str]) -> pa.Array:
    """Each distinct value translated once: a capture has few addresses and many rows."""
    distinct = values.dictionary_encode()
    # By way of Polars: pyarrow imports pandas to look at a Python list, which takes half a second.
    texts = pl.Series([to_text(value) for value in distinct.dictionary.to_pylist()], dtype=pl.String)
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.utf8()).take(distinct.indices)


class _Sink:
    """The output until writing fails: Arrow's writers insist on writing their file's end even then."""

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.discard = False

    def write(self, data: bytes) -> int:
        if not self.discard:
            self._out.write(data)
        return len(data)

    def flush(self) -> None:
        if not self.discard:
            self._out.flush()


class _Writer(Protocol):
    """Rows of one table, already readable, to one format."""

    def write(self, rows: pa.Table) -> None:
        """Write some rows."""

    def finish(self) -> None:
        """Write what is kept and the format's end; leaves the file open."""

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""


class _JsonLines:
    def __init__(self, schema: pa.Schema, out: BinaryIO) -> None:
        self._out = out

    def write(self, rows: pa.Table) -> None:
        # By way of memory: Polars writes past Python's buffers where it finds a file number.
        text = io.BytesIO()
        _with_text_times(rows).write_ndjson(text)
        self._out.write(text.getbuffer())

    def finish(self) -> None:
        """JSON lines have no end."""

    def abandon(self) -> None:
        """Nothing is held."""


class _Csv:
    def __init__(self, schema: pa.Schema, out: BinaryIO) -> None:
        self._out = out
        self._out.write((",".join(schema.names) + "\n").encode())

    def write(self, rows: pa.Table) -> None:
        text = io.BytesIO()
        frame = _with_text_times(rows)
        lists = [name for name, type_ in frame.schema.items() if isinstance(type_, pl.List)]
        frame.with_columns(
            pl.format("[{}]", pl.col(name).cast(pl.List(pl.String)).list.join(",")).alias(name)
            for name in lists
        ).write_csv(text, include_header=False)
        self._out.write(text.getbuffer())

    def finish(self) -> None:
        """CSV has no end."""

    def abandon(self) -> None:
        """Nothing is held."""


class _Columnar:
    """Parquet and Arrow: rows gathered to even groups, so that the bytes do not depend on the batches."""

    def __init__(
        self, schema: pa.Schema, out: BinaryIO, open_writer: Callable[[_Sink, pa.Schema], Any]
    ) -> None:
        self._sink = _Sink(out)
        self._writer = open_writer(self._sink, schema)
        # Without empty_table(), which imports pandas to look at an empty list: half a second.
        self._waiting = pa.Table.from_batches([], schema)

    def write(self, rows: pa.Table) -> None:
        self._waiting = pa.concat_tables([self._waiting, rows])
        while self._waiting.num_rows >= _ROWS_PER_GROUP:
            self._writer.write_table(_copied(self._waiting.slice(0, _ROWS_PER_GROUP)))
            self._waiting = self._waiting.slice(_ROWS_PER_GROUP)

    def finish(self) -> None:
        if self._waiting.num_rows:
            self._writer.write_table(_copied(self._waiting))
        self._writer.close()

    def abandon(self) -> None:
        self._sink.discard = True
        self._writer.close()


def _copied(rows: pa.Table) -> pa.Table:
    """The rows in buffers of their own: a slice's buffers reach beyond it, and Arrow files would show that."""
    # Joining with nothing copies in one sweep, where taking every row would look each of them up.
    columns = [pa.concat_arrays([*column.chunks, pa.nulls(0, column.type)]) for column in rows.itercolumns()]
    return pa.table(columns, schema=rows.schema)


def _parquet(schema: pa.Schema, out: BinaryIO) -> _Writer:
    return _Columnar(schema, out, partial(pq.ParquetWriter, compression="zstd"))


def _arrow(schema: pa.Schema, out: BinaryIO) -> _Writer:
    return _Columnar(schema, out, pa.ipc.new_file)


def _with_text_times(rows: pa.Table) -> pl.DataFrame:
    """The rows with RFC 3339 times."""
    frame = pl.DataFrame(rows)
    return frame.with_columns(pl.selectors.datetime().dt.to_string(_RFC3339))


_WRITERS: Final[dict[Format, Callable[[pa.Schema, BinaryIO], _Writer]]] = {
    Format.JSONL: _JsonLines,
    Format.CSV: _Csv,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}
