"""Values in, Arrow tables of the stored shape out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from analyzers.findings import Finding, canonical_line
from sensors.records import Column, Kind, Table
from store.schema import FACT_COLUMNS, StoredTable


def table_of(declared: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows by column name in, a table of the declared columns out. Times are ns since the epoch, as integers."""
    arrays = [pa.array([row[column.name] for row in rows], _sent_as(column)) for column in declared.columns]
    return pa.table(arrays, schema=pa.schema([_field(column) for column in declared.columns]))


def fact_table(stored: StoredTable, rows: pa.Table | pa.RecordBatch, site: str, replay: str) -> pa.Table:
    """Decoded or measured rows in; the same rows as the table keeps them out, with their site and replay.

    Columns are matched by name. ValueError where one is missing, unknown or null against its declaration: the
    engine would put a default in silence.
    """
    table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    declared = stored.table
    expected, given = {column.name for column in declared.columns}, set(table.column_names)
    if expected != given:
        raise ValueError(
            f"{declared.name}: columns missing {sorted(expected - given)}, unknown {sorted(given - expected)}"
        )
    first = [_constant(value, table.num_rows) for value in (site, replay)]
    arrays = []
    for column in declared.columns:
        values = table.column(column.name)
        if values.null_count and not column.nullable:
            raise ValueError(
                f"{declared.name}.{column.name}: {values.null_count} nulls in a column without nulls"
            )
        arrays.append(values.cast(_sent_as(column)))
    names = [*(column.name for column in FACT_COLUMNS), *(column.name for column in declared.columns)]
    return pa.table([*first, *arrays], names=names)


def finding_row(finding: Finding) -> dict[str, Any]:
    """A finding in; its row of the findings table out."""
    searched = (
        finding.title,
        finding.kind,
        finding.src_ip,
        finding.dst_ip,
        finding.src_zone,
        finding.dst_zone,
        finding.src_asset,
        finding.dst_asset,
        finding.service,
        finding.conduit,
        *finding.techniques,
    )
    return {
        "id": finding.id,
        "first_ts": finding.first_ns,
        "last_ts": finding.last_ns,
        "kind": finding.kind,
        "title": finding.title,
        "severity": int(finding.severity),
        "confidence": finding.confidence.value,
        "src_zone": finding.src_zone,
        "dst_zone": finding.dst_zone,
        "src_ip": finding.src_ip,
        "dst_ip": finding.dst_ip,
        "dst_port": finding.dst_port,
        "service": finding.service,
        "conduit": finding.conduit,
        "techniques": list(finding.techniques),
        "count": finding.count,
        "search_text": searchable(" ".join(filter(None, searched))),
        "finding": canonical_line(finding).decode(),
    }


def searchable(text: str) -> str:
    """Text as searches compare it: case and lone surrogates gone."""
    return storable(text).casefold()


def storable(text: str) -> str:
    """Text that UTF-8 can hold: a file name's undecodable bytes and lone surrogates become question marks."""
    return text.encode("utf-8", "replace").decode()


def moment(ns: int | None) -> datetime | None:
    """Nanoseconds since the epoch in, an aware UTC time (to the microsecond below) out; None stays None."""
    if ns is None:
        return None
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).replace(microsecond=ns // 1_000 % 1_000_000)


def nanoseconds(at: datetime) -> int:
    """An aware time in, nanoseconds since the epoch out. ValueError where it has no time zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: times are aware, UTC is shown")
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _field(column: Column) -> pa.Field:
    return pa.field(column.name, _sent_as(column), nullable=column.nullable)


def _sent_as(column: Column) -> pa.DataType:
    # names come as dictionaries of each batch; joined batches may not change dictionaries on the way
    return pa.utf8() if column.kind is Kind.NAME else column.kind.arrow


def _constant(value: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int8()), pa.array([value], pa.utf8()))
