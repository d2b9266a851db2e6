"""Rows and findings for the store's tests: small, complete, and with the values at the edges of each type."""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from analyzers.findings import Confidence, Evidence, Finding, Operation, Severity, finding_id
from analyzers.measurements import SLA_MINUTES
from sensors.records import TABLES, Column, Kind, Table, table
from store.client import Store
from store.schema import STORED_TABLES
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter

#: 2026-03-01 06:00 UTC
START_NS = 1_772_344_800_000_000_000
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000

_EDGES: Mapping[Kind, Sequence[Any]] = {
    Kind.UINT8: (0, 1, 2**8 - 1),
    Kind.UINT16: (0, 1, 2**16 - 1),
    Kind.UINT32: (0, 1, 2**32 - 1),
    Kind.UINT64: (0, 2**53 + 1, 2**64 - 1),
    Kind.FLOAT64: (0.0, 0.1, 1.7976931348623157e308),
    Kind.BOOL: (False, True, False),
    # nanoseconds that a float or a microsecond would round, and the ends of what 64 bits hold
    Kind.TIMESTAMP: (START_NS + 123_456_789, -(2**63), 2**63 - 1),
    Kind.LABEL: ("", "plant", "Ölmühle → é"),
    Kind.NAME: ("", "syn", "port"),
    Kind.TEXT: ("", "quote ' \" back\\slash", "tab\tnew\nline\0nul \U0001f600"),
    Kind.ADDRESS: (bytes(16), bytes(10) + b"\xff\xff\x0a\x00\x00\x01", b"\xff" * 16),
    Kind.MAC: (0, 0x0080F4_0E1122, 2**64 - 1),
    Kind.INT16_LIST: ([], [-(2**15), 0, 2**15 - 1], [7]),
    # as long as the lists of buckets: a histogram is two lists
    Kind.UINT32_LIST: ([], [2**32 - 1, 0, 1], [7]),
    Kind.UINT16_LIST: ([], [2**16 - 1, 0], [7]),
    Kind.TEXT_LIST: ([], ["T0855", "T0836"], [""]),
}


def edge_value(column: Column, row: int) -> Any:
    """The value at an edge of the column's type for rows 0 to 2; null where it may be, else row 1's, for row 3."""
    if row == 3:
        return None if column.nullable else _EDGES[column.kind][1]
    return _EDGES[column.kind][row]


def edge_rows(declared: Table) -> pa.RecordBatch:
    """Four rows with the edge values of every declared column, as the engine would send them."""
    arrays = [array(column, [edge_value(column, row) for row in range(4)]) for column in declared.columns]
    return pa.record_batch(arrays, schema=declared.schema())


def array(column: Column, values: Sequence[Any]) -> pa.Array:
    if column.kind is Kind.NAME:
        return pa.array(values, pa.utf8()).dictionary_encode().cast(column.kind.arrow)
    return pa.array(values, column.kind.arrow)


def rows_of(declared: Table, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows with the named values; every other column is zero, empty or, where it may be, null."""
    arrays = [
        array(
            column,
            [row.get(column.name, None if column.nullable else _EDGES[column.kind][0]) for row in rows],
        )
        for column in declared.columns
    ]
    return pa.record_batch(arrays, schema=declared.schema())


def minutes(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows of sla_minutes; `at` is the minute after START, addresses are dotted quads."""
    return rows_of(SLA_MINUTES, [_minute(row) for row in rows])


def _minute(row: Mapping[str, Any]) -> dict[str, Any]:
    minute = START_NS + row.get("at", 0) * MINUTE_NS
    given = {key: value for key, value in row.items() if key not in ("at", "client", "server")}
    return {
        "minute": minute,
        "first_ts": minute + 5,
        "last_ts": minute + 59 * SECOND_NS,
        "client_ip": ipv4(row.get("client", "10.0.2.10")),
        "server_ip": ipv4(row.get("server", "10.0.1.5")),
        "server_port": 502,
        "service": "modbus",
        "first_frame": 1,
        "packets": 10,
        "valid": True,
        **given,
    }


def ipv4(text: str) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(int(part) for part in text.split("."))


def coverage(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows of coverage; `at` is the minute after START."""
    return rows_of(
        table("coverage"),
        [
            {"minute": START_NS + row.get("at", 0) * MINUTE_NS, **{k: v for k, v in row.items() if k != "at"}}
            for row in rows
        ],
    )


def at(minute: float) -> datetime:
    """The time so many minutes after START."""
    return START + timedelta(minutes=minute)


def replay_start(capture: str = "shift-change.pcap", **changes: Any) -> ReplayStart:
    given: dict[str, Any] = {
        "site": "mine-a",
        "capture_name": capture,
        "capture_sha256": hashlib.sha256(capture.encode()).hexdigest(),
        "capture_bytes": 4096,
        "policy_name": "mine-a.yaml",
        "policy_sha256": hashlib.sha256(b"policy").hexdigest(),
        "policy_text": "site:\n  id: mine-a\n",
        "version": "0.1.0",
    }
    return ReplayStart(**(given | changes))


def outcome(**changes: Any) -> ReplayOutcome:
    given: dict[str, Any] = {
        "first_ns": START_NS,
        "last_ns": START_NS + 7 * MINUTE_NS,
        "packets": 420,
        "malformed_packets": 1,
        "flows": 3,
        "transactions": 40,
        "findings_sha256": "ab" * 32,
        "coverage": 0.998,
    }
    return ReplayOutcome(**(given | changes))


def finding(number: int = 0, **changes: Any) -> Finding:
    """A finding; different numbers are different subjects, one second apart."""
    kind = changes.get("kind", "SEG-05")
    first_ns = changes.get("first_ns", START_NS + number * SECOND_NS)
    policy = hashlib.sha256(b"policy").hexdigest()
    given: dict[str, Any] = {
        "id": finding_id("mine-a", kind, (str(number),), first_ns, policy),
        "kind": kind,
        "title": "a write from a station that may only read",
        "why": f"10.0.3.{number % 250} wrote 1 register of 10.0.1.5; no rule allows it.",
        "severity": Severity.HIGH,
        "confidence": Confidence.HIGH,
        "site": "mine-a",
        "src_zone": "supervisory",
        "dst_zone": "plant",
        "src_ip": f"10.0.3.{number % 250}",
        "dst_ip": "10.0.1.5",
        "dst_port": 502,
        "service": "modbus",
        "conduit": "supervisory->plant",
        "techniques": ("T0855", "T0836"),
        "count": 1,
        "first_ns": first_ns,
        "last_ns": first_ns + 5,
        "policy_sha256": policy,
        "version": "0.1.0",
        "evidence": Evidence(
            capture_sha256="cd" * 32,
            first_ns=first_ns,
            last_ns=first_ns + 5,
            operations=(Operation(frame=7, ts_ns=first_ns, text="write single register 40001 = 7"),),
        ),
    }
    return Finding(**(given | changes))


FACT_ROWS = 40


#: Decoded tables that are stored.
WIRE_TABLES = tuple(table.name for table in TABLES if table.stored)


def a_replay(make: Callable[[Store, ReplayStart], ReplayWriter], store: Store) -> ReplayWriter:
    """Write one whole small replay: rows of every fact table in several batches, and findings."""
    writer = make(store, replay_start())
    for _ in range(FACT_ROWS // 4):
        for name in WIRE_TABLES:
            writer.write(name, edge_rows(table(name)))
    writer.write(
        "sla_minutes", minutes([{"at": n, "from_zone": "operations", "to_zone": "plant"} for n in range(40)])
    )
    writer.finish([finding(n) for n in range(FACT_ROWS)], outcome())
    return writer


def row_counts(store: Store) -> dict[str, int]:
    """Rows of every table; of those that keep only the latest row, the keys."""
    final = {"alerts", "incident_members", "replays", "policies"}
    counts = {}
    for stored in STORED_TABLES:
        name = stored.table.name
        counts[name] = store.one(f"SELECT count() AS n FROM {name}{' FINAL' if name in final else ''}")
    return counts


A_REPLAY_COUNTS = {
    **dict.fromkeys((*WIRE_TABLES, "sla_minutes", "findings", "alerts", "incident_members"), FACT_ROWS),
    "finding_events": 0,
    "replays": 1,
    "policies": 1,
    "baselines": 0,
}


#: Alerts that differ in what filters and searches look at.
FOUND = [
    finding(
        0,
        severity=Severity.CRITICAL,
        title="a programming command from the enterprise",
        src_zone="enterprise",
    ),
    finding(1, severity=Severity.HIGH, kind="SEG-05"),
    finding(2, severity=Severity.HIGH, kind="SEG-01", techniques=("T0886",), dst_ip="fd00::5"),
    finding(3, severity=Severity.LOW, kind="SEG-01", src_zone="", dst_zone="plant", src_ip="192.0.2.7"),
    finding(4, severity=Severity.LOW, kind="SEG-05", service="opcua", src_asset="HMI-Förderband"),
]
