"""Roll-ups hold what the minutes add up to: whatever comes in parts, late, twice, or was there before them."""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.client import Store, open_store
from store.live import SessionWriter
from store.migrate import FOLDER, read_migrations
from store.refill import refill
from store.rollups import ROLLUPS, SLA_DAYS, SLA_HOURS
from store.rows import fact_table
from store.schema import stored_table
from store.writer import ReplayWriter
from tests.store.samples import minutes, outcome, replay_start

UP = {"from_zone": "supervisory", "to_zone": "plant", "conduit": "supervisory->plant"}


def row(at: int, client: int = 10, **more: Any) -> dict[str, Any]:
    return {
        **UP,
        "at": at,
        "client": f"10.0.2.{client}",
        "transactions": at + client,
        "good": at,
        "rtt_buckets": [500, 501 + at % 3],
        "rtt_counts": [client, 1],
        "client_half_min_ns": 1000 - at if at % 2 else None,
        **more,
    }


ROWS = [row(at, client) for at in range(0, 150, 7) for client in (10, 11)]
ROWS += [row(at, 12, valid=at % 2 == 0, exclusion="CHG-1" if at % 3 == 0 else "") for at in range(61, 80)]


def stored(store: Store, *parts: list[dict[str, Any]], capture: str = "a.pcap") -> ReplayWriter:
    writer = ReplayWriter(store, replay_start(capture))
    for part in parts:
        writer.write("sla_minutes", minutes(part))
    writer.finish((), outcome())
    return writer


def rolled(store: Store, name: str) -> list[dict[str, Any]]:
    """What the roll-up holds, parts added up, in an order of its own."""
    rollup = next(rollup for rollup in ROLLUPS if rollup.name == name)
    keys = ", ".join(("site", "replay", "start", *rollup.key))
    how = {"seen": "groupBitOr", "first": "min", "last_ts": "max", "run": "max"}
    sums = []
    for column in rollup.columns:
        if column.name in rollup.sums:
            least = "min" if "min," in column.clickhouse else "sum"
            function = how.get(column.name) or ("sumMap" if "sumMap" in column.clickhouse else least)
            sums.append(f"{function}(r.{column.name}) AS {column.name}")
    found = store.rows(f"SELECT {keys}, {', '.join(sums)} FROM {name} AS r GROUP BY {keys} ORDER BY {keys}")
    return list(found.to_pylist())


def test_an_hour_is_the_sum_of_its_minutes_by_zones_and_what_counts(store: Store) -> None:
    stored(store, ROWS)
    found = rolled(store, "sla_hours")
    counting = [r for r in found if r["valid"] and not r["exclusion"]]
    # by hand: START is 06:00, so `at` 0 to 59 is the first hour
    expected = Counter[int]()
    for given_row in ROWS:
        if given_row.get("valid", True) and not given_row.get("exclusion"):
            expected[given_row["at"] // 60] += given_row["transactions"]
    assert [r["transactions"] for r in counting] == [expected[hour] for hour in sorted(expected)]
    assert sum(r["minutes"] for r in found) == len(ROWS)
    for r in counting:
        hour = (r["start"] - counting[0]["start"]).seconds // 3600
        mine = {
            x["at"] for x in ROWS if x["at"] // 60 == hour and x.get("valid", True) and not x.get("exclusion")
        }
        assert r["seen"] == sum(1 << (at % 60) for at in mine)
        histogram = Counter[int]()
        for x in ROWS:
            if x["at"] // 60 == hour and x.get("valid", True) and not x.get("exclusion"):
                histogram.update(dict(zip(x["rtt_buckets"], x["rtt_counts"], strict=True)))
        assert dict(zip(r["rtt"]["1"], r["rtt"]["2"], strict=True)) == dict(histogram)


def test_a_day_is_the_sum_of_its_minutes_by_conversation(store: Store) -> None:
    stored(store, ROWS)
    found = rolled(store, "sla_days")
    sums = Counter[bytes]()
    for r in found:
        sums[r["client_ip"]] += r["transactions"]
    expected = Counter[str]()
    for given_row in ROWS:
        expected[given_row["client"]] += given_row["transactions"]
    assert sorted(sums.values()) == sorted(expected.values())


def test_parts_in_any_order_and_a_merge_change_nothing(store: Store) -> None:
    stored(store, ROWS, capture="a.pcap")
    stored(store, ROWS[20:], ROWS[5:20], ROWS[:5], capture="b.pcap")
    for rollup in ROLLUPS:
        by_replay: dict[str, list[str]] = {}
        for found in rolled(store, rollup.name):
            by_replay.setdefault(found.pop("replay"), []).append(repr(found))
        assert len(by_replay) == 2
        assert by_replay[replay_start("a.pcap").id] == by_replay[replay_start("b.pcap").id]
        before = rolled(store, rollup.name)
        store.command(f"OPTIMIZE TABLE {rollup.name} FINAL")
        assert rolled(store, rollup.name) == before


def test_an_insert_that_is_sent_twice_is_added_once(store: Store) -> None:
    part = fact_table(stored_table("sla_minutes"), minutes(ROWS), "mine-a", "r1")
    store.insert("sla_minutes", part, "token")
    before = {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS}
    store.insert("sla_minutes", part, "token")
    assert {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS} == before
    assert sum(r["minutes"] for r in before["sla_hours"]) == len(ROWS)


def test_a_replay_that_is_stored_again_adds_nothing(store: Store) -> None:
    stored(store, ROWS)
    before = rolled(store, "sla_hours")
    stored(store, ROWS)
    assert rolled(store, "sla_hours") == before


def test_an_attempt_that_failed_leaves_nothing_behind(store: Store) -> None:
    writer = ReplayWriter(store, replay_start("a.pcap"))
    writer.write("sla_minutes", minutes([row(0, 10)] * 1))
    writer._send("sla_minutes")
    assert rolled(store, "sla_hours")
    writer.fail("interrupted")
    assert [rolled(store, rollup.name) for rollup in ROLLUPS] == [[]] * len(ROLLUPS)
    stored(store, ROWS)
    assert sum(r["minutes"] for r in rolled(store, "sla_hours")) == len(ROWS)


def test_a_session_that_goes_on_adds_minutes_as_they_end_late_ones_too(store: Store) -> None:
    writer = SessionWriter(store, replay_start("live eth1", capture_bytes=0))
    writer.write("sla_minutes", minutes([row(0)]))
    writer.keep((), outcome())
    writer.write("sla_minutes", minutes([row(2), row(61)]))
    writer.keep((), outcome())
    writer.write("sla_minutes", minutes([row(1)]))
    writer.end((), outcome())
    hours = rolled(store, "sla_hours")
    assert [(r["seen"], r["minutes"], r["good"]) for r in hours] == [(0b111, 3, 3), (0b10, 1, 61)]


def test_a_store_of_an_older_version_gets_its_roll_ups(tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for path in sorted(FOLDER.glob("*.sql"))[:3]:
        shutil.copy(path, older)
    with open_store(tmp_path / "store", migrations=older) as store:
        store.insert(
            "sla_minutes",
            fact_table(stored_table("sla_minutes"), minutes(ROWS), "mine-a", replay_start("a.pcap").id),
            "token",
        )
        store.command(
            "INSERT INTO replays (id, step, state) VALUES ({id:String}, 2, 'done')",
            {"id": replay_start("a.pcap").id},
        )
    with open_store(tmp_path / "store") as store:
        assert sum(r["minutes"] for r in rolled(store, "sla_hours")) == len(ROWS)
        assert refill(store) == 0
        old = {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS}
    with open_store(tmp_path / "new") as store:
        stored(store, ROWS)
        assert {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS} == old


def test_a_block_that_only_the_minutes_have_is_put_right_at_the_next_opening(folder: Path) -> None:
    with open_store(folder) as store:
        stored(store, ROWS)
        good = {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS}
        # what a power cut between the engine's two steps leaves
        store.command("ALTER TABLE sla_days DROP PARTITION {r:String}", {"r": replay_start("a.pcap").id})
        assert rolled(store, "sla_days") == []
    with open_store(folder) as store:
        assert {rollup.name: rolled(store, rollup.name) for rollup in ROLLUPS} == good


def test_the_migration_is_what_is_declared() -> None:
    since = {rollup.since for rollup in ROLLUPS}
    made = [statement.sql for statement in read_migrations(FOLDER) if statement.version in since]
    declared = [part for rollup in ROLLUPS for part in rollup.ddl().split(";\n\n")]
    assert made == declared, (
        "a column of sla_minutes is new: a new migration makes the roll-ups and their views anew"
    )


def test_the_course_knows_how_many_of_one_conversation_were_bad_in_a_row(store: Store) -> None:
    # 3 bad of 3 in one conversation, 2 of 6 in another; then each alone in a minute of its own
    first = [row(0, 10, transactions=3, good=0), row(0, 11, transactions=6, good=4)]
    stored(store, [*first, row(1, 10, transactions=2, good=0, missed=2), row(1, 11, transactions=9, good=9)])
    found = [
        (r["minutes"], r["slots"], r["good"], r["run"])
        for r in sorted(rolled(store, "sla_course"), key=lambda r: r["start"])
    ]
    assert found == [(2, 9, 4, 3), (2, 13, 9, 4)]


def test_no_roll_up_has_a_time_limit(store: Store) -> None:
    names = ", ".join(f"'{rollup.name}'" for rollup in ROLLUPS)
    engines = store.rows(
        f"SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name IN ({names})"
    ).to_pylist()
    assert len(engines) == len(ROLLUPS)
    assert not any("TTL" in engine["engine_full"] for engine in engines)


def test_every_count_and_histogram_of_a_minute_is_in_both() -> None:
    for rollup in (SLA_HOURS, SLA_DAYS):
        read = {name for column in rollup.columns for name, _, _ in column.read}
        declared = {column.name for column in stored_table("sla_minutes").table.columns}
        assert declared - read <= {"minute", "client_ip", "server_ip", "server_port", "ip_proto", "service"}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(ROWS), st.integers(1, 40))
def test_any_cut_into_inserts_gives_the_same_sums(
    embedded: Store, rows: list[dict[str, Any]], cut: int
) -> None:
    for name in ("sla_minutes", *(rollup.name for rollup in ROLLUPS)):
        embedded.command(f"TRUNCATE TABLE {name}")
    for number, start in enumerate(range(0, len(rows), cut)):
        part = minutes(rows[start : start + cut])
        table = fact_table(stored_table("sla_minutes"), part, "mine-a", "r1")
        embedded.insert("sla_minutes", table, f"{cut}:{number}:{hash(str(rows))}")
    hours = rolled(embedded, "sla_hours")
    assert sum(r["minutes"] for r in hours) == len(ROWS)
    assert sum(r["transactions"] for r in hours) == sum(r["transactions"] for r in ROWS)
