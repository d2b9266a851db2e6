from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from store.client import Store, open_store
from store.errors import StoreError, StoreTooNew
from store.migrate import FOLDER, migrate, read_migrations, schema_version
from store.queries.replays import list_replays
from store.writer import ReplayWriter, replay_id
from tests.store.samples import A_REPLAY_COUNTS, a_replay, row_counts

ADD_ZONE = """-- Alerts know which shift they came in.
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS shift LowCardinality(String) DEFAULT 'night; or day';

ALTER TABLE finding_events ADD COLUMN IF NOT EXISTS shift LowCardinality(String);
"""


#: The schema version of this software.
OURS = len(list(FOLDER.glob("*.sql")))


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a later version: today's and one more."""
    folder = tmp_path / "later"
    shutil.copytree(FOLDER, folder)
    (folder / f"{len(list(FOLDER.glob('*.sql'))) + 1:04d}_shift.sql").write_text(ADD_ZONE)
    return folder


def test_an_old_store_is_brought_up_to_date_with_its_rows(address: str, later: Path) -> None:
    with open_store(address) as store:
        a_replay(ReplayWriter, store)
        version = schema_version(store)

    with open_store(address, migrations=later) as store:
        assert schema_version(store) == version + 1
        assert row_counts(store) == A_REPLAY_COUNTS
        shifts = store.rows("SELECT DISTINCT shift FROM alerts").column("shift").to_pylist()
        assert shifts == ["night; or day"]


def test_a_store_that_is_up_to_date_is_left_alone(store: Store) -> None:
    before = store.rows("SELECT * FROM schema_migrations ORDER BY version, step").to_pydict()
    assert migrate(store) == 0
    assert store.rows("SELECT * FROM schema_migrations ORDER BY version, step").to_pydict() == before


def test_every_statement_is_recorded_with_its_hash(store: Store) -> None:
    recorded = store.rows(
        "SELECT version, step, sha256, statement FROM schema_migrations ORDER BY version, step"
    )
    assert recorded.to_pylist() == [
        {"version": s.version, "step": s.step, "sha256": s.sha256, "statement": s.sql}
        for s in read_migrations(FOLDER)
    ]


def test_an_interrupted_migration_goes_on_where_it_stopped(address: str, later: Path) -> None:
    path = max(later.glob("*.sql"))
    good = path.read_text()
    path.write_text(good.replace("ALTER TABLE finding_events", "ALTER TABLE no_such_table"))
    with pytest.raises(StoreError, match="no_such_table"):
        open_store(address, migrations=later)

    # the statement that ran is not run again: its text is the recorded one
    path.write_text(good)
    with open_store(address, migrations=later) as store:
        assert migrate(store, later) == 0
        assert store.one("SELECT count() AS n FROM schema_migrations") == len(read_migrations(later))


def test_a_statement_that_ran_but_was_not_recorded_may_run_again(store: Store, later: Path) -> None:
    # a crash between the two
    for statement in read_migrations(later)[-2:]:
        store.command(statement.sql)
    assert migrate(store, later) == 2


def test_a_new_store_that_was_cut_off_before_its_ledger_is_made_whole(store: Store) -> None:
    # a crash after the last statement and before they were recorded, together
    store.command("TRUNCATE TABLE schema_migrations")
    statements = read_migrations(FOLDER)
    assert migrate(store) == len(statements)
    recorded = store.rows("SELECT version, step, sha256 FROM schema_migrations ORDER BY version, step")
    assert recorded.to_pylist() == [
        {"version": one.version, "step": one.step, "sha256": one.sha256} for one in statements
    ]
    assert migrate(store) == 0


def test_a_newer_schema_is_refused(address: str, later: Path) -> None:
    open_store(address, migrations=later).close()
    with pytest.raises(
        StoreTooNew,
        match=rf"has schema version {OURS + 1}, this software knows {OURS}: use the newer Geophone",
    ):
        open_store(address)
    open_store(address, migrations=later).close()


def test_an_edited_migration_is_refused(address: str, later: Path) -> None:
    open_store(address, migrations=later).close()
    path = max(later.glob("*.sql"))
    path.write_text(ADD_ZONE.replace("night; or day", "day"))
    with pytest.raises(StoreTooNew, match=f"statement 1 of migration {OURS + 1} differs"):
        open_store(address, migrations=later)


def test_comments_and_space_may_change(address: str, later: Path) -> None:
    open_store(address, migrations=later).close()
    path = max(later.glob("*.sql"))
    path.write_text(ADD_ZONE.replace("-- Alerts know", "-- Every alert knows") + "\n\n")
    open_store(address, migrations=later).close()


def test_every_statement_may_run_twice() -> None:
    for statement in read_migrations(FOLDER):
        assert re.search(r"\bIF (NOT )?EXISTS\b", statement.sql), statement.sql


def test_numbers_without_holes(tmp_path: Path) -> None:
    (tmp_path / "0001_core.sql").write_text("CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory;\n")
    (tmp_path / "0003_more.sql").write_text("CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = Memory;\n")
    with pytest.raises(ValueError, match="expected 0002"):
        read_migrations(tmp_path)


@pytest.mark.parametrize("engine", ["embedded", pytest.param("server", marks=pytest.mark.server)])
def test_a_store_of_the_first_version_keeps_its_rows(
    request: pytest.FixtureRequest, engine: str, database: str, tmp_path: Path
) -> None:
    # Not the fixture's address: its store is made by today's migrations.
    server = engine == "server" and request.getfixturevalue("server")
    address = server.url(database) if server else f"chdb://{tmp_path / 'store'}"
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(FOLDER / "0001_core.sql", first)
    with open_store(address, migrations=first) as store:
        assert schema_version(store) == 1
        store.command("INSERT INTO flows (site, replay, flow_id, vlan) VALUES ('mine-a', 'r1', 7, 100)")
        store.command("INSERT INTO modbus (site, replay, flow_id, function) VALUES ('mine-a', 'r1', 7, 16)")
        store.command(
            "INSERT INTO sla_minutes (site, replay, lost_segments, late) VALUES ('mine-a', 'r1', 9, 2)"
        )
        store.command(
            "INSERT INTO replays (id, step, state, site, capture_name, capture_sha256, policy_sha256, version) VALUES "
            "({plain:String}, 3, 'done', 'mine-a', 'day.pcap', 'c1', 'p1', '0.1.0'), "
            "('r1', 3, 'done', 'mine-a', 'night.pcap', 'c2', 'p1', '0.1.0')",
            {"plain": replay_id("c1", "p1", "0.1.0")},
        )

    with open_store(address) as store:
        assert schema_version(store) == OURS
        flows = store.rows("SELECT flow_id, vlan, tunnel, tunnel_id, dsacks_s2c FROM flows").to_pylist()
        assert flows == [{"flow_id": 7, "vlan": 100, "tunnel": "", "tunnel_id": None, "dsacks_s2c": 0}]
        assert store.rows("SELECT function, framing FROM modbus").to_pylist() == [
            {"function": 16, "framing": ""}
        ]
        assert store.one("SELECT count() AS rows FROM opcua") == 0
        # By the id it can be told that the first was judged by nothing but capture, policy and version.
        kept = {one.capture_name: one for one in list_replays(store).replays}
        assert {name: (one.inputs, one.inputs_known) for name, one in kept.items()} == {
            "day.pcap": ((), True),
            "night.pcap": ((), False),
        }
        minutes = store.rows(
            "SELECT lost_segments, lost_before_tap, late, missed, exclusion, one_sided, server_half_min_ns, "
            "server_time_counts FROM sla_minutes"
        )
        assert minutes.to_pylist() == [
            {
                "lost_segments": 9,
                "lost_before_tap": 0,
                "late": 2,
                "missed": 0,
                "exclusion": "",
                "one_sided": False,
                "server_half_min_ns": None,
                "server_time_counts": [],
            }
        ]
