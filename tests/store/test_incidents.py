"""Incidents in the store: the same whatever the order they come in, and no flood hides another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from analyzers.findings import Finding, Severity, SuppressedBy
from analyzers.incidents import incidents_of
from store.answers import AlertFilter
from store.client import Store, open_store
from store.gathering import gather_alerts
from store.queries.alerts import list_alerts
from store.queries.incidents import get_incident, incident_of, incident_states, list_incidents
from store.queries.life import decide
from store.writer import ReplayWriter
from tests.store.samples import MINUTE_NS, START_NS, finding, outcome, replay_start

UNDER = SuppressedBy(id="s1", owner="ot", reason="tuning, ticket 12", until="2026-12-01")
ALL = AlertFilter()
HOUR_NS = 60 * MINUTE_NS


def at(number: int, minute: float, src: str, dst: str, **more: object) -> Finding:
    """A finding so many minutes after START."""
    return finding(number, first_ns=START_NS + int(minute * MINUTE_NS), src_ip=src, dst_ip=dst, **more)


#: A vendor at two devices, an outage of the first, somebody else long after, and one who comes between two stretches.
ATTACK = at(1, 0, "203.0.113.5", "10.0.1.5", severity=Severity.CRITICAL)
SECOND = at(2, 30, "203.0.113.5", "10.0.1.6", dst_zone="port")
OUTAGE = at(3, 5, "10.0.3.1", "10.0.1.5", kind="SLA-01", title="an outage", severity=Severity.MEDIUM)
OTHER = at(4, 200, "10.0.3.9", "10.0.1.5")
BRIDGE = at(5, 85, "203.0.113.5", "10.0.1.7", severity=Severity.LOW)
AFTER = at(6, 140, "203.0.113.5", "10.0.1.8", severity=Severity.LOW)
STORY = (ATTACK, SECOND, OUTAGE, OTHER, BRIDGE, AFTER)


def kept(store: Store, findings: Sequence[Finding], capture: str) -> str:
    """Store the findings as those of a capture of that name; the replay's id."""
    writer = ReplayWriter(store, replay_start(capture))
    writer.finish(findings, outcome())
    return writer.id


def test_an_attack_and_the_outage_of_its_target_are_one_incident(store: Store) -> None:
    kept(store, [ATTACK, SECOND, OUTAGE, OTHER], "one.pcap")
    page = list_incidents(store, ALL)
    assert [(one.id, one.alerts) for one in page.incidents] == [(OTHER.id, 1), (ATTACK.id, 3)]
    assert (page.next, page.total) == ("", 2)
    one = page.incidents[1]
    assert (one.kind, one.title, one.severity) == ("SEG-05", ATTACK.title, 5)
    assert (one.kinds, one.zones) == (("SEG-05", "SLA-01"), ("plant", "port", "supervisory"))
    assert (one.sources, one.targets) == (("10.0.3.1", "203.0.113.5"), ("10.0.1.5", "10.0.1.6"))
    assert (one.first_ns, one.last_ns, one.state) == (ATTACK.first_ns, SECOND.last_ns, "new")


def test_incidents_are_counted_by_what_became_of_their_alerts(store: Store) -> None:
    # ATTACK, SECOND and OUTAGE are one incident; OTHER is one; one more is suppressed.
    quiet = at(7, 600, "10.0.4.1", "10.0.1.9", suppression=UNDER)
    kept(store, [ATTACK, SECOND, OUTAGE, OTHER, quiet], "one.pcap")
    site = ATTACK.site
    assert incident_states(store, site) == {"new": 2, "open": 0, "closed": 0}
    decide(store, SECOND.id, "close", "ana", note="the vendor was expected")
    decide(store, OTHER.id, "acknowledge", "ana")
    assert incident_states(store, site) == {"new": 0, "open": 2, "closed": 0}
    decide(store, OTHER.id, "close", "ana", note="a test of the pump")
    assert incident_states(store, site) == {"new": 0, "open": 1, "closed": 1}
    assert incident_states(store, "nowhere") == {"new": 0, "open": 0, "closed": 0}


def test_captures_in_any_order_give_the_incidents_of_one(embedded: Store) -> None:
    expected = [[found.id for found in one.findings] for one in incidents_of(STORY)]
    shuffled = list(STORY)
    Random(4).shuffle(shuffled)
    for found in shuffled:
        kept(embedded, [found], f"{found.id}.pcap")
    detail = [get_incident(embedded, one.id) for one in list_incidents(embedded, ALL).incidents]
    assert sorted([alert.id for alert in one.alerts] for one in detail if one) == sorted(expected)


def test_a_late_finding_makes_two_incidents_one_and_every_old_id_leads_to_it(embedded: Store) -> None:
    kept(embedded, [SECOND, AFTER], "before.pcap")
    assert len(list_incidents(embedded, ALL).incidents) == 2
    kept(embedded, [BRIDGE], "late.pcap")
    assert {incident_of(embedded, one.id) for one in (SECOND, BRIDGE, AFTER)} == {SECOND.id}
    kept(embedded, [ATTACK], "earlier.pcap")
    assert {incident_of(embedded, one.id) for one in (SECOND, BRIDGE, AFTER)} == {ATTACK.id}
    found = get_incident(embedded, AFTER.id)
    assert found is not None
    assert found.incident.id == ATTACK.id


def test_the_same_capture_again_changes_nothing(embedded: Store) -> None:
    kept(embedded, STORY, "one.pcap")
    before = list_incidents(embedded, ALL)
    kept(embedded, STORY, "same-traffic-in-another-file.pcap")
    assert list_incidents(embedded, ALL) == before
    assert gather_alerts(embedded) == 0


def test_small_portions_give_what_one_large_one_gives(folder: Path) -> None:
    with open_store(folder) as store:
        kept(store, STORY, "one.pcap")
        whole = store.rows("SELECT id, incident FROM incident_members FINAL ORDER BY id").to_pylist()
        store.command("TRUNCATE TABLE IF EXISTS incident_members")
        assert gather_alerts(store, portion=2) >= len(STORY)
        again = store.rows("SELECT id, incident FROM incident_members FINAL ORDER BY id").to_pylist()
        store.command("TRUNCATE TABLE IF EXISTS incident_members")
    assert again == whole
    # as a store of an older version, or one whose process died before it gathered
    with open_store(folder) as store:
        rows = store.rows("SELECT id, incident FROM incident_members FINAL ORDER BY id").to_pylist()
    assert rows == whole


def test_the_time_line_tells_alerts_and_decisions(embedded: Store) -> None:
    kept(embedded, STORY[:3], "one.pcap")
    decide(embedded, OUTAGE.id, "acknowledge", "ana", note="the radio path")
    found = get_incident(embedded, OUTAGE.id)
    assert found is not None
    assert [alert.id for alert in found.alerts] == [ATTACK.id, OUTAGE.id, SECOND.id]
    assert [(alert, event.actor, event.note) for alert, event in found.decisions] == [
        (OUTAGE.id, "ana", "the radio path")
    ]
    assert (found.left_out, found.incident.state) == ((), "open")
    assert get_incident(embedded, "0" * 32) is None


def test_incidents_are_chosen_by_their_alerts(embedded: Store) -> None:
    replay = kept(embedded, STORY, "one.pcap")
    for wanted, expected in (
        (AlertFilter(kinds=("SLA-01",)), [ATTACK.id]),
        (AlertFilter(severities=(4,), text="10.0.3.9"), [OTHER.id]),
        (AlertFilter(zone="port"), [ATTACK.id]),
        (AlertFilter(replay=replay), [OTHER.id, ATTACK.id]),
        (AlertFilter(states=("closed",)), []),
    ):
        assert [one.id for one in list_incidents(embedded, wanted).incidents] == expected, wanted


def test_alerts_of_one_incident(embedded: Store) -> None:
    kept(embedded, STORY, "one.pcap")
    found = list_alerts(embedded, AlertFilter(incident=OTHER.id))
    assert [alert.id for alert in found.alerts] == [OTHER.id]


@pytest.fixture(scope="module")
def flooded(memory: Path, request: pytest.FixtureRequest) -> Store:
    """A write, then 400 conversations of as many forged sources: each an incident of its own."""
    forged = [at(n, n / 10, f"198.51.{n // 250}.{n % 250}", "10.0.1.9", kind="SEG-01") for n in range(400)]
    store = open_store(memory / "flooded")
    request.addfinalizer(store.close)
    kept(store, [ATTACK, *forged], "flood.pcap")
    return store


def test_a_flood_of_one_kind_hides_no_other(flooded: Store) -> None:
    alerts = list_alerts(flooded, ALL, limit=50, alike=5)
    assert [alert.kind for alert in alerts.alerts] == ["SEG-01"] * 5 + ["SEG-05"]
    assert (alerts.alerts[-1].id, alerts.next) == (ATTACK.id, "")
    assert [(rest.kind, rest.severity, rest.more) for rest in alerts.left_out] == [("SEG-01", 4, 395)]
    incidents = list_incidents(flooded, ALL, limit=50, alike=5)
    assert [one.kind for one in incidents.incidents] == ["SEG-01"] * 5 + ["SEG-05"]
    assert (incidents.incidents[-1].id, incidents.next, incidents.total) == (ATTACK.id, "", 401)
    assert [(rest.kind, rest.more) for rest in incidents.left_out] == [("SEG-01", 395)]


def test_pages_show_every_incident_once(flooded: Store) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = list_incidents(flooded, ALL, after, limit=150)
        seen += [one.id for one in page.incidents]
        after = page.next
        if not after:
            break
    assert len(seen) == len(set(seen)) == 401


def test_pages_of_folded_lists_go_on_where_they_stopped(flooded: Store) -> None:
    first = list_alerts(flooded, ALL, limit=4, alike=5)
    second = list_alerts(flooded, ALL, first.next, limit=4, alike=5)
    assert [alert.kind for alert in second.alerts] == ["SEG-01", "SEG-05"]
    one = list_incidents(flooded, ALL, limit=4, alike=5)
    two = list_incidents(flooded, ALL, one.next, limit=4, alike=5)
    assert [incident.kind for incident in two.incidents] == ["SEG-01", "SEG-05"]


def test_a_damaged_cursor_is_refused(flooded: Store) -> None:
    with pytest.raises(ValueError, match="cursor is damaged"):
        list_incidents(flooded, ALL, "x")
