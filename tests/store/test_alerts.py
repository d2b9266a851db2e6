from __future__ import annotations

import pytest

from store.answers import AlertFilter
from store.client import Store
from store.queries.alerts import count_alerts, get_alert, list_alerts, newest, similar
from store.queries.life import decide
from store.writer import ReplayWriter
from tests.store.samples import FOUND, finding, outcome, replay_start

ALL = AlertFilter()
IDS = [found.id for found in FOUND]


@pytest.fixture
def queue(store: Store) -> Store:
    """A store with FOUND in the alert queue."""
    ReplayWriter(store, replay_start()).finish(FOUND, outcome())
    return store


def test_the_queue_is_newest_first_and_shows_the_finding(queue: Store) -> None:
    page = list_alerts(queue, ALL)
    assert [alert.id for alert in page.alerts] == IDS[::-1]
    assert page.next == ""
    alert, found = page.alerts[-1], FOUND[0]
    shown = (alert.kind, alert.title, alert.severity, alert.confidence, alert.src_zone, alert.dst_port)
    assert shown == (found.kind, found.title, 5, "high", "enterprise", 502)
    assert (alert.state, alert.assignee, alert.decided_at) == ("new", "", None)
    assert (alert.first_ns, alert.last_ns, alert.count) == (found.first_ns, found.last_ns, 1)
    assert alert.techniques == ("T0855", "T0836")


def test_alerts_of_one_replay(queue: Store) -> None:
    other = ReplayWriter(queue, replay_start("other.pcap"))
    other.finish([FOUND[1], finding(9)], outcome())
    found = list_alerts(queue, AlertFilter(replay=other.id)).alerts
    assert [alert.id for alert in found] == [finding(9).id, FOUND[1].id]


def test_each_chip_counts_without_itself(queue: Store) -> None:
    decide(queue, IDS[1], "acknowledge", "ana")
    decide(queue, IDS[3], "close", "ana", note="known test station")
    counts = count_alerts(queue, AlertFilter(severities=(2,), states=("new",)))
    assert counts.by_severity == {5: 1, 4: 1, 2: 1}
    assert counts.by_state == {"new": 1, "acknowledged": 0, "closed": 1}
    assert counts.total == 1


def test_the_time_to_a_decision_is_measured_to_the_first_one(queue: Store) -> None:
    before = count_alerts(queue, ALL)
    assert (before.decision_median_s, before.decision_p90_s) == (None, None)
    for alert_id in IDS[:3]:
        decide(queue, alert_id, "acknowledge", "ana")
    # decided 10 s, 20 s and 100 s after detection: the first decision's time is what is kept
    for alert_id, seconds in zip(IDS, (10, 20, 100), strict=False):
        queue.command(
            "INSERT INTO alerts SELECT * REPLACE (seq + 1 AS seq, detected_at + toIntervalSecond({s:UInt32}) AS "
            "decided_at) FROM alerts FINAL WHERE id = {id:String}",
            {"id": alert_id, "s": seconds},
        )
    counts = count_alerts(queue, AlertFilter(states=("new",)))
    assert counts.decision_median_s == pytest.approx(20)
    assert counts.decision_p90_s == pytest.approx(20 + 0.8 * 80)  # linear between ranks 2 and 3 of 3


def test_new_alerts_are_counted_from_the_moment_of_the_page(queue: Store) -> None:
    page = list_alerts(queue, ALL)
    assert newest(queue, ALL, page.newest) == 0
    # an old capture that is replayed now is new to the reader, wherever it stands in the queue
    ReplayWriter(queue, replay_start("old.pcap")).finish([finding(7, first_ns=5), finding(8)], outcome())
    assert newest(queue, ALL, page.newest) == 2
    assert newest(queue, AlertFilter(kinds=("SEG-01",)), page.newest) == 0
    assert newest(queue, ALL, list_alerts(queue, ALL).newest) == 0


def test_an_empty_queue_has_a_mark_too(store: Store) -> None:
    page = list_alerts(store, ALL)
    assert (page.alerts, page.next) == ((), "")
    ReplayWriter(store, replay_start()).finish(FOUND, outcome())
    assert newest(store, ALL, page.newest) == len(FOUND)


def test_one_alert_whole(queue: Store) -> None:
    detail = get_alert(queue, IDS[2])
    assert detail is not None
    assert detail.finding == FOUND[2]
    assert (detail.capture_name, detail.replay) == ("shift-change.pcap", replay_start().id)
    assert detail.events == ()
    assert get_alert(queue, "0" * 32) is None
    assert get_alert(queue, "' OR 1=1 --") is None


def test_the_latest_replay_is_where_an_alert_was_found(queue: Store) -> None:
    later = ReplayWriter(queue, replay_start("later.pcap"))
    later.finish([FOUND[2].model_copy(update={"why": "said better"})], outcome())
    detail = get_alert(queue, IDS[2])
    assert detail is not None
    assert (detail.capture_name, detail.replay, detail.finding.why) == ("later.pcap", later.id, "said better")


def test_similar_alerts_are_of_the_kind_or_between_the_same_two(queue: Store) -> None:
    twin = finding(20, kind="SEG-03", src_ip=FOUND[1].src_ip, dst_ip=FOUND[1].dst_ip)
    ReplayWriter(queue, replay_start("twin.pcap")).finish(
        [twin, finding(21, kind="SEG-04", dst_ip="10.0.9.9")], outcome()
    )
    alike = [alert.id for alert in similar(queue, IDS[1], 10)]
    assert set(alike) == {IDS[0], IDS[4], twin.id}
    assert alike[0] == IDS[4]  # kind, server and both zones; 0 has another zone, the twin another kind
    assert len(similar(queue, IDS[1], 1)) == 1
    assert similar(queue, "0" * 32, 10) == ()
