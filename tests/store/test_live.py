"""A session's rows and findings are read while it goes on, and are whole whenever it ends."""

from __future__ import annotations

from sensors.records import table
from store.answers import AlertFilter
from store.client import Store
from store.live import SessionWriter
from store.queries.alerts import list_alerts
from store.queries.replays import findings, get_replay, list_replays
from store.recovery import finish_judged
from tests.store.samples import edge_rows, finding, outcome, replay_start


def session(store: Store, **changes: object) -> SessionWriter:
    return SessionWriter(store, replay_start("live span0", capture_bytes=0, **changes))


def test_findings_are_in_the_queue_while_the_session_goes_on(store: Store) -> None:
    writer = session(store)
    writer.keep([], outcome(packets=0))
    assert list_alerts(store, AlertFilter()).alerts == ()
    writer.keep([finding(1)], outcome(packets=10))
    assert len(list_alerts(store, AlertFilter()).alerts) == 1
    writer.keep([finding(1), finding(2)], outcome(packets=20))
    assert len(list_alerts(store, AlertFilter()).alerts) == 2
    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.packets, replay.findings) == ("listening", 20, 2)
    assert len(list_replays(store).replays) == 1


def test_alerts_of_new_findings_only_are_raised_and_the_others_left_alone(store: Store) -> None:
    first, second = session(store), SessionWriter(store, replay_start("live span1", capture_bytes=0))
    first.keep([finding(1)], outcome())
    # Known to the queue already: no second alert, and its incident stays.
    second.keep([finding(1), finding(2)], outcome())
    second.keep([], outcome())
    ids = "SELECT count() AS n FROM {table:Identifier} WHERE id IN {ids:Array(String)}"
    both = [finding(number).id for number in (1, 2)]
    for name in ("alerts", "incident_members"):
        assert store.one(ids, {"table": name, "ids": both}) == 2


def test_a_finding_stays_as_it_was_first_seen(store: Store) -> None:
    writer = session(store)
    writer.keep([finding(1)], outcome())
    assert writer.new([finding(1, count=9), finding(2)]) == [finding(2)]
    writer.keep([finding(1, count=9)], outcome())
    assert findings(store, writer.id) == [finding(1)] == writer.findings


def test_rows_are_read_from_the_next_keep_on(store: Store) -> None:
    writer = session(store)
    counts = "SELECT count() AS n FROM modbus WHERE replay = {replay:String}"
    writer.write("modbus", edge_rows(table("modbus")))
    writer.keep([], outcome())
    assert store.one(counts, {"replay": writer.id}) == 4
    writer.write("modbus", edge_rows(table("modbus")))
    writer.end([finding(3)], outcome())
    assert store.one(counts, {"replay": writer.id}) == 8
    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.findings) == ("done", 1)


def test_a_session_that_died_is_done_for_the_next_who_opens_the_store(store: Store) -> None:
    writer = session(store)
    writer.keep([finding(1)], outcome())
    # On a server others may be alive: there it takes a minute.
    finish_judged(store)
    replay = get_replay(store, writer.id)
    assert replay is not None
    assert replay.state == ("done" if store.exclusive else "listening")


def test_a_step_that_somebody_else_took_is_gone_on_from(store: Store) -> None:
    writer = session(store)
    writer.keep([finding(1)], outcome(packets=1))
    finish_judged(store)
    writer.keep([finding(2)], outcome(packets=2))
    replay = get_replay(store, writer.id)
    assert replay is not None
    assert (replay.state, replay.packets, replay.findings) == ("listening", 2, 2)
    writer.end([], outcome(packets=3))
    assert len(findings(store, writer.id)) == 2
