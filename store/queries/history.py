"""Stored rows as they were decoded, replay by replay: what rules are held against after the fact."""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from policy.traffic import table_schema
from sensors.records import Table
from store.client import Store
from store.queries.measured import CURRENT_REPLAYS

#: Rows read at once: memory against time. A single minute is never cut.
CHUNK_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class JudgedReplay:
    """A replay whose rows are there, and what it was judged under."""

    id: str
    site: str
    capture_name: str
    capture_sha256: str
    policy_name: str
    policy_sha256: str
    policy_text: str
    first_ns: int
    last_ns: int
    capture_bytes: int


def judged_replays(store: Store, replay: str = "") -> list[JudgedReplay]:
    """The latest replay of each capture, or the one that is named; the earliest traffic first."""
    which = "id = {replay:String}" if replay else f"id IN {CURRENT_REPLAYS}"
    rows = store.rows(
        "SELECT r.id AS id, r.site AS site, r.capture_name AS capture_name, r.capture_sha256 AS capture_sha256, "
        "r.policy_name AS policy_name, r.policy_sha256 AS policy_sha256, p.text AS policy_text, "
        "toUnixTimestamp64Nano(r.first_ts) AS first_ns, toUnixTimestamp64Nano(r.last_ts) AS last_ns, "
        "r.capture_bytes AS capture_bytes FROM "
        "(SELECT * FROM replays FINAL WHERE state IN ('judged', 'done') AND NOT has(input_roles, 'replay') "
        f"AND {which}) AS r "
        "INNER JOIN (SELECT sha256, text FROM policies FINAL) AS p ON p.sha256 = r.policy_sha256 "
        "ORDER BY r.first_ts, r.id",
        {"replay": replay},
    )
    return [JudgedReplay(**row) for row in rows.to_pylist()]


def decoded_rows(
    store: Store, replay: str, table: Table, names: Sequence[str] = ()
) -> Iterator[pl.DataFrame]:
    """The rows of a stored table with these columns of `table_schema` (all of them without any), minutes at a time."""
    schema = {name: kind for name, kind in table_schema(table).items() if name in names or not names}
    columns = ", ".join(f"`{name}`" for name in schema)
    for first_ns, end_ns in _spans(store, replay, table):
        rows = store.rows(
            f"SELECT {columns} FROM {table.name} WHERE replay = {{replay:String}} "
            "AND ts >= fromUnixTimestamp64Nano({first:Int64}, 'UTC') "
            "AND ts < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
            {"replay": replay, "first": first_ns, "end": end_ns},
        )
        frame = pl.DataFrame(rows)
        yield frame.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _spans(store: Store, replay: str, table: Table) -> list[tuple[int, int]]:
    """Whole minutes that hold about CHUNK_ROWS rows each: first ns, end ns."""
    minutes = store.rows(
        "SELECT toInt64(toUnixTimestamp(toStartOfMinute(ts))) AS minute, count() AS n "
        f"FROM {table.name} WHERE replay = {{replay:String}} GROUP BY minute ORDER BY minute",
        {"replay": replay},
    ).to_pylist()
    spans: list[tuple[int, int]] = []
    first, held = None, 0
    for row in minutes:
        first = row["minute"] if first is None else first
        held += row["n"]
        if held >= CHUNK_ROWS:
            spans.append((first * 1_000_000_000, (row["minute"] + 60) * 1_000_000_000))
            first, held = None, 0
    if first is not None:
        spans.append((first * 1_000_000_000, (minutes[-1]["minute"] + 60) * 1_000_000_000))
    return spans
