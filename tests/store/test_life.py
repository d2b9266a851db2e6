from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from store.answers import AlertFilter
from store.client import Store, open_store
from store.errors import InvalidTransition, UnknownAlert
from store.queries.alerts import count_alerts, get_alert, list_alerts
from store.queries.life import Action, decide, decide_all
from store.rows import table_of
from store.schema import FINDING_EVENTS
from store.writer import ReplayWriter
from tests.store.real_server import RealServer
from tests.store.samples import a_replay, finding, outcome, replay_start

FIRST = finding(0).id
ALL = AlertFilter()
TAKEN: dict[str, dict[str, str]] = {"assign": {"assignee": "ben"}, "close": {"note": "planned work"}}
ACTIONS: tuple[Action, ...] = ("acknowledge", "assign", "close", "reopen")
#: States and the actions that lead to them from new.
PATHS: dict[str, tuple[Action, ...]] = {
    "new": (),
    "acknowledged": ("acknowledge",),
    "assigned": ("assign",),
    "closed": ("close",),
}


@pytest.fixture
def alerts(store: Store) -> Store:
    """A store with five new alerts."""
    ReplayWriter(store, replay_start()).finish([finding(number) for number in range(5)], outcome())
    return store


def test_a_life_is_kept_step_by_step(alerts: Store) -> None:
    decide(alerts, FIRST, "acknowledge", "ana")
    decide(alerts, FIRST, "assign", "ana", note="your pump", assignee="ben")
    decide(alerts, FIRST, "close", "ben", note="vendor's test, ticket 12")
    detail = decide(alerts, FIRST, "reopen", "ana", note="it came back")

    assert [
        (e.seq, e.actor, e.action, e.from_state, e.to_state, e.assignee, e.note) for e in detail.events
    ] == [
        (1, "ana", "acknowledge", "new", "acknowledged", "ana", ""),
        (2, "ana", "assign", "acknowledged", "assigned", "ben", "your pump"),
        (3, "ben", "close", "assigned", "closed", "ben", "vendor's test, ticket 12"),
        (4, "ana", "reopen", "closed", "new", "", "it came back"),
    ]
    assert [e.at for e in detail.events] == sorted(e.at for e in detail.events)
    assert (detail.alert.state, detail.alert.assignee) == ("new", "")
    assert detail.alert.decided_at == detail.events[0].at


def test_the_queue_follows_every_step(alerts: Store) -> None:
    for action, state in (("acknowledge", "acknowledged"), ("assign", "assigned"), ("close", "closed")):
        decide(alerts, FIRST, action, "ana", **TAKEN.get(action, {}))  # type: ignore[arg-type]
        assert [a.id for a in list_alerts(alerts, AlertFilter(states=(state,))).alerts] == [FIRST]
    assert len(list_alerts(alerts, ALL).alerts) == 5


@pytest.mark.parametrize("state", PATHS)
def test_only_the_transitions_of_the_table_are_taken(embedded: Store, state: str) -> None:
    allowed = {
        "new": {"acknowledge", "assign", "close"},
        "acknowledged": {"assign", "close", "reopen"},
        "assigned": {"assign", "close", "reopen"},
        "closed": {"reopen"},
    }
    found = [finding(number) for number in range(len(ACTIONS))]
    ReplayWriter(embedded, replay_start()).finish(found, outcome())
    for one, action in zip(found, ACTIONS, strict=True):
        for step in PATHS[state]:
            decide(embedded, one.id, step, "ana", **TAKEN.get(step, {}))
        events = len(PATHS[state])
        if action in allowed[state]:
            detail = decide(embedded, one.id, action, "ana", **TAKEN.get(action, {}))
            assert len(detail.events) == events + 1
            continue
        with pytest.raises(InvalidTransition, match=rf"is {state}: it cannot {action}; it can "):
            decide(embedded, one.id, action, "ana", **TAKEN.get(action, {}))
        unchanged = get_alert(embedded, one.id)
        assert unchanged is not None
        assert (unchanged.alert.state, len(unchanged.events)) == (state, events)


def test_says_what_an_action_lacks(alerts: Store) -> None:
    with pytest.raises(UnknownAlert, match="no alert has the id 00"):
        decide(alerts, "0" * 32, "acknowledge", "ana")
    with pytest.raises(InvalidTransition, match="who acts"):
        decide(alerts, FIRST, "acknowledge", "  ")
    with pytest.raises(InvalidTransition, match="somebody to assign"):
        decide(alerts, FIRST, "assign", "ana")
    with pytest.raises(InvalidTransition, match="a note with the reason"):
        decide(alerts, FIRST, "close", "ana", note=" \n")
    with pytest.raises(InvalidTransition, match="delete is no action"):
        decide(alerts, FIRST, "delete", "ana")  # type: ignore[arg-type]
    assert alerts.one("SELECT count() AS n FROM finding_events") == 0


def test_words_are_kept_as_they_were_written(alerts: Store) -> None:
    note = "'; DROP TABLE alerts; -- \\ \t \U0001f600 \ud800 end"
    detail = decide(alerts, FIRST, "close", "o'neil\\", note=note)
    assert detail.events[0].note == note.replace("\ud800", "?")
    assert detail.events[0].actor == "o'neil\\"


def test_a_decision_survives_another_replay_of_the_same_traffic(alerts: Store) -> None:
    decide(alerts, FIRST, "close", "ana", note="known")
    ReplayWriter(alerts, replay_start("again.pcap")).finish([finding(0)], outcome())
    detail = get_alert(alerts, FIRST)
    assert detail is not None
    assert (detail.alert.state, detail.capture_name) == ("closed", "again.pcap")


def test_of_many_who_acknowledge_at_once_one_does(alerts: Store) -> None:
    results: list[str] = []

    def acknowledge(number: int) -> None:
        try:
            decide(alerts, FIRST, "acknowledge", f"analyst {number}")
            results.append("did")
        except InvalidTransition:
            results.append("was told")

    threads = [threading.Thread(target=acknowledge, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["did"] + ["was told"] * 7
    assert alerts.one("SELECT count() AS n FROM finding_events") == 1


@pytest.mark.server
def test_two_processes_that_take_the_same_step_are_told_apart(server: RealServer, database: str) -> None:
    with open_store(server.url(database)) as one, open_store(server.url(database)) as two:
        a_replay(ReplayWriter, one)
        # the other process's row is stored between our look at the alert and our own row
        insert = one.insert

        def late(table: str, rows: pa.Table, token: str) -> None:
            if table == "finding_events" and not two.one("SELECT count() AS n FROM finding_events"):
                decide(two, FIRST, "close", "ben", note="mine")
            insert(table, rows, token)

        one.insert = late  # type: ignore[method-assign]
        with pytest.raises(InvalidTransition, match="at the same moment"):
            decide(one, FIRST, "acknowledge", "ana")
        detail = get_alert(one, FIRST)
    assert detail is not None
    assert [(event.seq, event.actor) for event in detail.events] == [(1, "ben")]
    assert detail.alert.state == "closed"


def test_all_of_a_filter_are_decided_however_many(alerts: Store) -> None:
    ReplayWriter(alerts, replay_start("many.pcap")).finish(
        [finding(number, kind="SEG-01") for number in range(100, 350)], outcome()
    )
    chosen = AlertFilter(kinds=("SEG-01",))
    decide(alerts, finding(100, kind="SEG-01").id, "close", "ana", note="first")

    assert decide_all(alerts, chosen, "close", "ben", note="a test of the vendor") == 249
    assert decide_all(alerts, chosen, "close", "ben", note="once more") == 0
    assert count_alerts(alerts, ALL).by_state == {"new": 5, "closed": 250}
    detail = get_alert(alerts, finding(349, kind="SEG-01").id)
    assert detail is not None
    assert [(event.seq, event.actor, event.note) for event in detail.events] == [
        (1, "ben", "a test of the vendor")
    ]
    assert decide_all(alerts, chosen, "reopen", "ben") == 250
    assert decide_all(alerts, chosen, "assign", "ben", assignee="ana") == 250
    assert decide_all(alerts, chosen, "assign", "ben", assignee="cem") == 0


def test_a_decision_whose_second_half_was_lost_is_seen_after_opening(address: str) -> None:
    with open_store(address) as store:
        ReplayWriter(store, replay_start()).finish([finding(0), finding(1)], outcome())
        event = {"id": FIRST, "seq": 1, "at": 1, "actor": "ana", "action": "close", "from_state": "new"}
        event |= {"to_state": "closed", "assignee": "ana", "note": "power cut after this", "request": "r"}
        store.insert("finding_events", table_of(FINDING_EVENTS, [event]), "lost")
        # even before that, no step is taken twice
        with pytest.raises(InvalidTransition, match="is closed"):
            decide(store, FIRST, "acknowledge", "ben")
    with open_store(address) as store:
        states = {alert.id: (alert.state, alert.assignee) for alert in list_alerts(store, ALL).alerts}
        assert states == {FIRST: ("closed", "ana"), finding(1).id: ("new", "")}
