"""Findings under a suppression: in the store like all others, out of the open queue, there for whoever asks."""

from __future__ import annotations

import pytest

from analyzers.findings import Severity, SuppressedBy
from analyzers.incidents import incidents_of
from store.answers import AlertFilter
from store.client import Store
from store.gathering import gather_alerts
from store.queries.alerts import count_alerts, get_alert, list_alerts, newest
from store.queries.incidents import get_incident, list_incidents
from store.queries.life import decide, decide_all
from store.writer import ReplayWriter
from tests.store.samples import finding, outcome, replay_start

UNDER = SuppressedBy(id="s1", owner="ot", reason="tuning, ticket 12", until="2026-12-01")
HIDDEN = finding(1, suppression=UNDER)


@pytest.fixture
def queue(store: Store) -> Store:
    """Three findings, the second under a suppression."""
    ReplayWriter(store, replay_start()).finish([finding(0), HIDDEN, finding(2)], outcome())
    return store


def test_it_is_stored_and_not_in_the_open_queue(queue: Store) -> None:
    assert queue.one("SELECT count() FROM findings") == 3
    shown = list_alerts(queue, AlertFilter())
    assert [alert.id for alert in shown.alerts] == [finding(2).id, finding(0).id]
    assert count_alerts(queue, AlertFilter()).total == newest(queue, AlertFilter(), "") == 2
    assert count_alerts(queue, AlertFilter()).by_severity == {4: 2}


def test_its_own_filter_shows_it_with_who_why_and_until_when(queue: Store) -> None:
    only = AlertFilter(states=("suppressed",))
    assert count_alerts(queue, AlertFilter()).by_state == {"new": 2, "suppressed": 1}
    (alert,) = list_alerts(queue, only).alerts
    assert (alert.id, alert.state, alert.assignee) == (HIDDEN.id, "suppressed", "ot")
    assert count_alerts(queue, only).total == 1
    detail = get_alert(queue, HIDDEN.id)
    assert detail is not None
    assert detail.finding.suppression == UNDER


def test_whoever_asks_for_all_gets_all(queue: Store) -> None:
    every = AlertFilter(suppressed=True)
    assert len(list_alerts(queue, every).alerts) == count_alerts(queue, every).total == 3


def test_a_decision_over_a_filter_leaves_it_alone(queue: Store) -> None:
    assert decide_all(queue, AlertFilter(), "acknowledge", "ana") == 2
    assert [a.id for a in list_alerts(queue, AlertFilter(states=("suppressed",))).alerts] == [HIDDEN.id]


def test_somebody_may_put_it_back_into_the_queue(queue: Store) -> None:
    detail = decide(queue, HIDDEN.id, "reopen", "ana", note="this one is another cause")
    assert (detail.alert.state, detail.alert.assignee) == ("new", "")
    assert detail.finding.suppression == UNDER
    assert count_alerts(queue, AlertFilter()).total == 3


def test_an_incident_is_called_by_what_is_open_and_keeps_the_rest_in_its_time_line(store: Store) -> None:
    actor = {"src_ip": "10.0.3.77"}
    grave = finding(0, severity=Severity.CRITICAL, title="planned", suppression=UNDER, **actor)
    other = finding(1, severity=Severity.LOW, title="not planned", **actor)
    ReplayWriter(store, replay_start()).finish([grave, other], outcome())
    gather_alerts(store)
    (incident,) = list_incidents(store, AlertFilter()).incidents
    assert (incident.title, incident.severity) == ("not planned", 2)
    assert (incident.alerts, incident.new, incident.suppressed, incident.state) == (1, 1, 1, "new")
    detail = get_incident(store, grave.id)
    assert detail is not None
    assert [alert.state for alert in detail.alerts] == ["suppressed", "new"]
    assert incidents_of([grave, other])[0].worst.id == other.id


def test_an_incident_of_suppressed_findings_alone_is_listed_where_they_are_asked_for(store: Store) -> None:
    ReplayWriter(store, replay_start()).finish([HIDDEN], outcome())
    gather_alerts(store)
    assert list_incidents(store, AlertFilter()).incidents == ()
    (incident,) = list_incidents(store, AlertFilter(states=("suppressed",))).incidents
    assert (incident.id, incident.state) == (HIDDEN.id, "closed")
