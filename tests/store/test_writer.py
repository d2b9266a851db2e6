from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from sensors.records import table
from store.answers import AlertFilter
from store.client import Store, open_store
from store.errors import StoreInUse
from store.queries.alerts import list_alerts
from store.queries.replays import findings, get_replay, list_replays
from store.writer import BATCH_ROWS, ReplayWriter
from tests.store.faulty_network import Fault, FaultyNetwork
from tests.store.real_server import RealServer
from tests.store.samples import (
    A_REPLAY_COUNTS,
    a_replay,
    edge_rows,
    finding,
    minutes,
    outcome,
    replay_start,
    row_counts,
)


def test_the_same_capture_policy_and_version_twice_adds_no_row_in_any_table(store: Store) -> None:
    first = a_replay(ReplayWriter, store)
    once = row_counts(store)
    physical = store.rows("SELECT * FROM replays").num_rows

    second = a_replay(ReplayWriter, store)

    assert once == A_REPLAY_COUNTS
    assert row_counts(store) == once
    assert store.rows("SELECT * FROM replays").num_rows <= physical
    assert (first.already_stored, second.already_stored) == (False, True)
    assert first.id == second.id


def test_another_version_or_policy_of_the_same_capture_is_another_replay(store: Store) -> None:
    a_replay(ReplayWriter, store)
    for change in ({"version": "0.2.0"}, {"policy_sha256": "12" * 32}, {"capture_sha256": "34" * 32}):
        writer = ReplayWriter(store, replay_start(**change))
        assert not writer.already_stored
        writer.finish([], outcome())
    assert len(list_replays(store).replays) == 4


def test_a_replay_is_whole_or_not_there(store: Store) -> None:
    writer = ReplayWriter(store, replay_start())
    writer.write("modbus", edge_rows(table("modbus")))
    assert get_replay(store, writer.id) is not None
    assert list_alerts(store, AlertFilter()).alerts == ()

    writer.finish([finding(1), finding(2), finding(1)], outcome())

    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.findings, replay.packets, replay.coverage) == ("done", 2, 420, 0.998)
    assert replay.reason == ""
    assert findings(store, writer.id) == [finding(1), finding(2)]
    assert len(list_alerts(store, AlertFilter()).alerts) == 2


def test_a_failed_replay_keeps_its_reason_and_none_of_its_rows(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), ReplayWriter(store, replay_start()) as writer:
        for _ in range(3):
            writer.write("modbus", edge_rows(table("modbus")))
        raise ZeroDivisionError("the capture ends in the middle of a frame")

    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.reason) == ("failed", "the capture ends in the middle of a frame")
    counts = row_counts(store)
    assert counts["modbus"] == 0

    a_replay(ReplayWriter, store)
    assert row_counts(store) == A_REPLAY_COUNTS


def test_a_capture_that_holds_nothing_is_stored_too(store: Store) -> None:
    writer = ReplayWriter(store, replay_start())
    writer.finish([], outcome(packets=0, flows=0, transactions=0, coverage=None))
    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.coverage) == ("done", None)
    assert ReplayWriter(store, replay_start()).already_stored


def test_rows_wait_until_there_are_enough_of_them(embedded: Store) -> None:
    writer = ReplayWriter(embedded, replay_start())
    small = minutes([{"at": n} for n in range(100)])
    writer.write("sla_minutes", small)
    assert embedded.one("SELECT count() AS n FROM sla_minutes") == 0
    for _ in range(BATCH_ROWS // 100):
        writer.write("sla_minutes", small)
    assert embedded.one("SELECT count() AS n FROM sla_minutes") == BATCH_ROWS
    writer.finish([], outcome())
    assert embedded.one("SELECT count() AS n FROM sla_minutes") == BATCH_ROWS + 100


def test_two_batches_of_equal_rows_are_both_stored(store: Store) -> None:
    # the engine alone would take the second for a repetition of the first
    batch = pa.Table.from_batches([minutes([{"at": 1}] * 1000)] * (BATCH_ROWS // 1000))
    writer = ReplayWriter(store, replay_start())
    writer.write("sla_minutes", batch)
    writer.write("sla_minutes", batch)
    writer.finish([], outcome())
    assert store.one("SELECT count() AS n FROM sla_minutes") == 2 * BATCH_ROWS


def test_a_batch_larger_than_a_block_of_the_engine_is_stored_once(embedded: Store) -> None:
    one = minutes([{"at": 1}])
    many = pa.Table.from_batches([one]).take(pa.array([0] * 1_100_000, pa.int64()))
    writer = ReplayWriter(embedded, replay_start())
    writer.write("sla_minutes", many)
    writer.finish([], outcome())
    assert embedded.one("SELECT count() AS n FROM sla_minutes") == 1_100_000


def test_batches_with_different_dictionaries_keep_their_words(embedded: Store) -> None:
    flows = table("flows")
    words = ["fin", "reset", "idle", "reused"]
    index = flows.schema().get_field_index("end_reason")
    writer = ReplayWriter(embedded, replay_start())
    for word in words:
        names = pa.array([word] * 4).dictionary_encode().cast(flows.schema().field(index).type)
        batch = edge_rows(flows)
        writer.write("flows", batch.set_column(index, flows.schema().field(index), names))
    writer.finish([], outcome())
    found = embedded.rows(
        "SELECT end_reason, count() AS n FROM flows GROUP BY end_reason ORDER BY end_reason"
    )
    assert found.to_pydict() == {"end_reason": sorted(words), "n": [4, 4, 4, 4]}


def test_a_capture_that_spans_years_is_one_partition(embedded: Store) -> None:
    # 400 days by day would be more partitions than the engine takes in one insert (error 252)
    writer = ReplayWriter(embedded, replay_start())
    writer.write("sla_minutes", minutes([{"at": 1440 * day} for day in range(400)]))
    writer.finish([], outcome())
    assert embedded.one("SELECT uniqExact(toDate(minute)) AS n FROM sla_minutes") == 400
    assert (
        embedded.one("SELECT uniqExact(partition_id) AS n FROM system.parts WHERE table = 'sla_minutes'") == 1
    )


def test_refuses_rows_of_a_table_that_is_not_stored_or_not_a_fact(embedded: Store) -> None:
    writer = ReplayWriter(embedded, replay_start())
    for name in ("rtt", "alerts", "findings", "replays; DROP TABLE alerts"):
        with pytest.raises(KeyError):
            writer.write(name, minutes([{}]))


def test_a_capture_name_that_is_not_utf8_is_stored_readable(embedded: Store) -> None:
    name = b"schicht-\xfc.pcap".decode("utf-8", "surrogateescape")
    writer = ReplayWriter(embedded, replay_start(capture_sha256="11" * 32, capture_name=name))
    writer.finish([], outcome())
    replay = get_replay(embedded, writer.id)
    assert replay is not None
    assert replay.capture_name == "schicht-?.pcap"


def test_the_same_finding_in_another_capture_is_one_alert_found_twice(store: Store) -> None:
    for capture in ("first.pcap", "cut-of-first.pcap"):
        ReplayWriter(store, replay_start(capture)).finish([finding(1)], outcome())
    counts = row_counts(store)
    assert (counts["findings"], counts["alerts"]) == (2, 1)


@pytest.mark.parametrize(
    "point",
    ["after modbus", "before findings", "before replays:judged", "after replays:judged", "after alerts"],
)
def test_kill_9_in_the_middle_and_once_more_gives_exactly_the_rows(tmp_path: Path, point: str) -> None:
    killed(str(tmp_path / "store"), point)
    with open_store(tmp_path / "store") as store:
        a_replay(ReplayWriter, store)
        assert row_counts(store) == A_REPLAY_COUNTS
        (replay,) = list_replays(store).replays
        assert replay.state == "done"


@pytest.mark.server
@pytest.mark.parametrize("point", ["after modbus", "after replays:judged"])
def test_kill_9_of_the_writer_of_a_server_and_once_more(
    server: RealServer, database: str, point: str
) -> None:
    killed(server.url(database), point)
    with open_store(server.url(database)) as store:
        a_replay(ReplayWriter, store)
        assert row_counts(store) == A_REPLAY_COUNTS


def killed(address: str, point: str) -> None:
    """Run a replay in a process of its own that dies at that point."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.store.child", "kill_at", address, point], timeout=120
    )
    assert child.returncode == -signal.SIGKILL


def test_a_half_written_replay_is_not_shown(tmp_path: Path) -> None:
    killed(str(tmp_path / "store"), "after findings")
    with open_store(tmp_path / "store") as store:
        (replay,) = list_replays(store).replays
        assert replay.state == "running"
        assert list_alerts(store, AlertFilter()).alerts == ()
        assert findings(store, replay.id) == []


def test_a_judged_replay_is_finished_by_whoever_opens_the_store_next(tmp_path: Path) -> None:
    killed(str(tmp_path / "store"), "after replays:judged")
    with open_store(tmp_path / "store") as store:
        assert row_counts(store) == A_REPLAY_COUNTS
        assert len(list_alerts(store, AlertFilter()).alerts) == 40


def test_two_writers_of_one_replay_cannot_both_finish(store: Store) -> None:
    first, second = ReplayWriter(store, replay_start()), ReplayWriter(store, replay_start())
    first.write("modbus", edge_rows(table("modbus")))
    second.write("modbus", edge_rows(table("modbus")))
    with pytest.raises(StoreInUse, match="being written by another process"):
        first.finish([finding(1)], outcome())
    second.finish([finding(1)], outcome())
    counts = row_counts(store)
    assert (counts["modbus"], counts["findings"], counts["replays"]) == (4, 1, 1)


@pytest.mark.server
@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault is not Fault.HANG], ids=lambda f: f.name.lower()
)
def test_a_network_that_breaks_adds_and_loses_no_row(
    server: RealServer, network: FaultyNetwork, database: str, fault: Fault
) -> None:
    replay_through(server, network, database, fault, "INSERT INTO `modbus`")


@pytest.mark.server
@pytest.mark.parametrize(
    "statement", ["INSERT INTO `findings`", "INSERT INTO alerts", "INSERT INTO replays (step"]
)
def test_a_lost_reply_to_any_step_adds_no_row(
    server: RealServer, network: FaultyNetwork, database: str, statement: str
) -> None:
    replay_through(server, network, database, Fault.LOST_REPLY, statement)


def replay_through(
    server: RealServer, network: FaultyNetwork, database: str, fault: Fault, statement: str
) -> None:
    """Write a replay while the statement meets the fault twice; it is stored exactly once all the same."""
    with open_store(server.url(database, port=network.port)) as store:
        network.plan(fault, times=2, only=statement)
        a_replay(ReplayWriter, store)
        # half of an insert's headers already say 200: the driver takes them for an answer
        assert network.struck == (1 if fault is Fault.CUT_HEADERS else 2)
        assert row_counts(store) == A_REPLAY_COUNTS
        assert store.one("SELECT count() AS n FROM alerts") == A_REPLAY_COUNTS["alerts"]
        assert store.one("SELECT count() AS n FROM modbus") == A_REPLAY_COUNTS["modbus"]


@pytest.mark.server
def test_a_server_killed_in_the_middle_of_a_replay_is_waited_for(tmp_path: Path, database: str) -> None:
    running = RealServer(tmp_path / "clickhouse")
    try:
        running.start()
    except FileNotFoundError:
        pytest.skip("no ClickHouse server was fetched: run `python -m tests.store.fetch_server`")
    try:
        with open_store(running.url(database)) as store:
            writer = ReplayWriter(store, replay_start())
            writer.write(
                "sla_minutes", pa.Table.from_batches([minutes([{"at": 1}] * 1000)] * (BATCH_ROWS // 1000))
            )
            running.stop(signal.SIGKILL)
            running.start()
            writer.finish([finding(1)], outcome())
            counts = row_counts(store)
        assert (counts["sla_minutes"], counts["alerts"]) == (BATCH_ROWS, 1)
    finally:
        running.stop()
