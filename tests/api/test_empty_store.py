"""An empty store is said to be empty, never shown as zero."""

from __future__ import annotations

from tests.support.web import Client


def test_an_empty_store_is_said_not_shown_as_zero(empty_client: Client) -> None:
    answer = empty_client.get("/api/v1/zones")
    assert answer.status_code == 404
    assert "geophone replay" in answer.json()["repair"]


def test_health_of_an_empty_store_has_no_last_packet(empty_client: Client) -> None:
    body = empty_client.get("/api/v1/health").json()
    assert (body["replays"], body["alerts"], body["last_packet"]) == (0, 0, None)
    assert empty_client.get("/api/v1/replays").json() == {"replays": [], "next": ""}
    assert empty_client.get("/api/v1/alerts").json()["alerts"] == []


def test_an_empty_store_has_nothing_to_report(empty_client: Client) -> None:
    answer = empty_client.get("/api/v1/sla/report")
    assert answer.status_code in (404, 422)
    assert "geophone replay" in answer.text or "nothing was measured" in answer.text


def test_there_are_no_suppressions(empty_client: Client) -> None:
    assert empty_client.get("/api/v1/suppressions").json() == {"suppressions": []}
    assert "No suppressions" in empty_client.get("/security/suppressions").text
