# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from sensors.records import TABLES, Kind
from store.client import Store
from store.rollups import ROLLUPS
from store.rows import fact_table, table_of
from store.schema import ALERTS, FACT_TABLES, STORED_TABLES, StoredTable, stored_table
from tests.store.samples import edge_rows, edge_value

FACTS = [stored_table(name) for name in FACT_TABLES]


def test_every_column_of_every_fact_comes_back_exactly_as_it_was_sent(store: Store) -> None:
    for stored in FACTS:
        sent = edge_rows(stored.table)
        store.insert(stored.table.name, fact_table(stored, sent, "mine-a", "r1"), "token")
        back = store.rows(f"SELECT * FROM {stored.table.name}")
        assert_same(back, pa.Table.from_batches([sent]), stored)
        assert set(back.column("site").to_pylist()) == {"mine-a"}
        assert set(back.column("replay").to_pylist()) == {"r1"}


def test_what_only_the_store_knows_comes_back_exactly(store: Store) -> None:
    for stored in STORED_TABLES:
        if not stored.fact:
            rows = [{column.name: edge_value(column, row) for column in stored.columns} for row in (0, 1, 2)]
            sent = table_of(stored.table, rows)
            store.insert(stored.table.name, sent, "token")
            assert_same(store.rows(f"SELECT * FROM {stored.table.name}"), sent, stored)


def assert_same(back: pa.Table, sent: pa.Table, stored: StoredTable) -> None:
    """The same rows in whatever order, every value without loss."""
    names = [column.name for column in stored.table.columns]
    rows_back = zip(*(exact(back.column(name)) for name in names), strict=True)
    rows_sent = zip(*(exact(sent.column(name)) for name in names), strict=True)
    assert sorted(rows_back, key=repr) == sorted(rows_sent, key=repr), stored.table.name


def exact(column: pa.ChunkedArray) -> list[object]:
    """Values without loss: times as whole nanoseconds."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return [tuple(value) if isinstance(value, list) else value for value in column.to_pylist()]


def test_the_migrations_make_what_is_declared(store: Store) -> None:
    made = store.rows(
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() "
        "AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND engine = 'MaterializedView') AND table != 'schema_migrations' ORDER BY table, position"
    ).to_pylist()

    declared = [
        {"table": stored.table.name, "name": column.name, "type": column.clickhouse}
        for stored in STORED_TABLES
        for column in stored.columns
    ] + [
        {"table": rollup.name, "name": name, "type": kind}
        for rollup in ROLLUPS
        for name, kind in (
            ("site", "LowCardinality(String)"),
            ("replay", "LowCardinality(String)"),
            ("start", "DateTime64(9, 'UTC')"),
            *((column.name, column.clickhouse) for column in rollup.columns),
        )
    ]
    # within a table in its own order
    declared.sort(key=lambda row: row["table"])
    assert made == declared, "a declared table changed: write a migration that changes it in the store too"


def test_every_declared_table_that_is_stored_has_keys() -> None:
    declared = {table.name for table in TABLES if table.stored}
    assert declared <= set(FACT_TABLES)


@pytest.mark.parametrize("stored", FACTS, ids=lambda stored: stored.table.name)
def test_no_primary_key_holds_both_the_hour_and_the_time(stored: StoredTable) -> None:
    # with both, time ranges read every granule
    times = [column.name for column in stored.columns if column.kind is Kind.TIMESTAMP]
    hours = [re.sub(r"toStartOfHour\((\w+)\)", r"\1", key) for key in stored.primary_key if "Hour" in key]
    assert not set(hours) & set(stored.primary_key)
    assert set(times) & {*hours, *stored.primary_key}, "facts are found by time"


@pytest.mark.parametrize("site", ["site = 'mine-a' AND ", ""], ids=["of a site", "of all sites"])
def test_a_time_range_reads_few_granules(embedded: Store, site: str) -> None:
    embedded.command(
        "INSERT INTO sla_minutes (site, replay, minute, from_zone, to_zone) SELECT 'mine-a', 'r1', "
        "toDateTime64('2026-03-01 00:00:00', 9, 'UTC') + toIntervalMinute(intDiv(number, 200)), "
        "'supervisory', toString(number % 10) FROM numbers(200000)"
    )
    plan = "\n".join(
        embedded.rows(
            f"EXPLAIN indexes = 1 SELECT count() FROM sla_minutes WHERE {site}"
            "minute >= toDateTime64('2026-03-01 06:00:00', 9, 'UTC') "
            "AND minute < toDateTime64('2026-03-01 07:00:00', 9, 'UTC')"
        )
        .column(0)
        .to_pylist()
    )
    read, of = re.findall(r"Granules: (\d+)/(\d+)", plan)[-1]
    assert int(of) >= 24
    assert int(read) <= 4, plan


def test_rows_are_forced_to_disk_before_an_insert_is_acknowledged(store: Store) -> None:
    for row in store.rows(
        "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    ).to_pylist():
        for setting in (
            "fsync_after_insert = 1",
            "fsync_part_directory = 1",
            "min_rows_to_fsync_after_merge = 1",
        ):
            assert setting in row["engine_full"], row["name"]
        assert "TTL" not in row["engine_full"], "a replayed capture is old from the start"


def test_names_what_is_wrong_with_a_batch() -> None:
    stored = stored_table("modbus")
    good = edge_rows(stored.table)
    with pytest.raises(ValueError, match=r"modbus: columns missing \['unit'\], unknown \[\]"):
        fact_table(stored, good.drop_columns(["unit"]), "mine-a", "r1")
    with pytest.raises(ValueError, match=r"modbus: columns missing \[\], unknown \['colour'\]"):
        fact_table(stored, good.append_column("colour", pa.array([1, 2, 3, 4])), "mine-a", "r1")
    nulls = good.set_column(
        good.schema.get_field_index("unit"), "unit", pa.array([1, None, 3, None], pa.uint8())
    )
    with pytest.raises(ValueError, match=r"modbus.unit: 2 nulls"):
        fact_table(stored, nulls, "mine-a", "r1")


def test_a_list_never_needs_the_finding_whole() -> None:
    # `alerts` is read on every page: the evidence stays in `findings`
    assert "finding" not in {column.name for column in ALERTS.columns}
