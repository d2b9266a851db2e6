"""The alert queue over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.plausible_day import findings
from tests.support.web import Client


def _alerts(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/alerts{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_queue_holds_every_finding_newest_first(client: Client) -> None:
    body = _alerts(client)
    assert len(body["alerts"]) == len(findings()) + 1
    times = [alert["first_at"] for alert in body["alerts"]]
    assert times == sorted(times, reverse=True)
    assert times[0] == "2026-03-03T23:22:11.173000000Z"
    assert body["counts"]["total"] == len(times)


def test_pages_by_cursor_hold_every_alert_once(client: Client) -> None:
    seen: list[str] = []
    after = ""
    while True:
        body = _alerts(client, f"?limit=4&after={after}")
        seen += [alert["id"] for alert in body["alerts"]]
        after = body["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == len(findings()) + 1


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("?severity=critical", 2),
        ("?severity=critical&severity=low", 5),
        ("?kind=SEG-05", 1),
        ("?zone=crushing", 2),
        ("?q=10.21.0.66", 1),
        ("?q=nothing-like-it", 0),
        ("?state=closed", 0),
        ("?replay=other", 0),
    ],
)
def test_filters(client: Client, query: str, number: int) -> None:
    body = _alerts(client, query)
    assert len(body["alerts"]) == number
    assert body["counts"]["total"] == number


def test_a_detail_has_the_evidence_and_where_it_was_found(client: Client) -> None:
    alert = _alerts(client, "?kind=SEG-05")["alerts"][0]
    body = client.get(f"/api/v1/alerts/{alert['id']}").json()
    assert body["finding"]["evidence"]["operations"][0]["text"] == "write multiple registers, unit 1, 100 = 3"
    assert body["capture_name"] == "mine-a-2026-03-03.pcapng"
    assert body["alert"]["severity"] == "critical"
    assert body["events"] == []


def test_similar_alerts_are_of_the_same_kind_and_leave_itself_out(client: Client) -> None:
    alert = _alerts(client, "?kind=SEG-04")["alerts"][0]["id"]
    similar = client.get(f"/api/v1/alerts/{alert}/similar?limit=100").json()["alerts"]
    assert {other["kind"] for other in similar} == {"SEG-04"}
    assert alert not in {other["id"] for other in similar}
    assert len(similar) == 8


def test_counts_what_is_newer_than_the_page(client: Client) -> None:
    newest = _alerts(client)["newest"]
    assert client.get(f"/api/v1/alerts/newer?since={newest}").json() == {"newer": 0}
    everything = client.get("/api/v1/alerts/newer").json()["newer"]
    assert everything == len(findings()) + 1
