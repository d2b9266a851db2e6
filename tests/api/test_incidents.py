"""Incidents over the API."""

from __future__ import annotations

from typing import Any

from tests.support.web import Client


def _list(client: Client, **parameters: str | int) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/api/v1/incidents", params=parameters).json()
    return body


def test_every_alert_is_in_one_incident(client: Client) -> None:
    body = _list(client, limit=500)
    assert body["next"] == ""
    assert body["total"] == len(body["incidents"])
    alerts = client.get("/api/v1/alerts?limit=500").json()["alerts"]
    assert sum(one["alerts"] for one in body["incidents"]) == len(alerts)


def test_the_latest_comes_first_and_the_gravest_names_it(client: Client) -> None:
    body = _list(client, limit=500)
    times = [one["last_at"] for one in body["incidents"]]
    assert times == sorted(times, reverse=True)
    for one in body["incidents"]:
        found = client.get("/api/v1/alerts", params={"incident": one["id"], "limit": 500}).json()["alerts"]
        assert len(found) == one["alerts"]
        order = ["info", "low", "medium", "high", "critical"]
        assert one["severity"] == max((alert["severity"] for alert in found), key=order.index)
        assert one["title"] in {alert["title"] for alert in found if alert["severity"] == one["severity"]}


def test_pages_go_on_where_they_stopped(client: Client) -> None:
    whole = [one["id"] for one in _list(client, limit=500)["incidents"]]
    first = _list(client, limit=2)
    second = _list(client, limit=500, after=first["next"])
    assert [one["id"] for one in (*first["incidents"], *second["incidents"])] == whole


def test_any_alert_of_an_incident_leads_to_its_time_line(client: Client) -> None:
    several = next(one for one in _list(client, limit=500)["incidents"] if one["alerts"] > 1)
    body = client.get(f"/api/v1/incidents/{several['id']}").json()
    assert body["incident"] == several
    times = [alert["first_at"] for alert in body["alerts"]]
    assert times == sorted(times)
    assert body["alerts"][0]["id"] == several["id"]
    last = body["alerts"][-1]["id"]
    assert client.get(f"/api/v1/incidents/{last}").json() == body


def test_what_is_not_there_is_said(client: Client) -> None:
    assert client.get("/api/v1/incidents/" + "0" * 32).status_code == 404
    assert client.get("/api/v1/incidents/xyz").status_code == 422
    assert client.get("/api/v1/incidents?after=x").status_code == 422
    assert client.get("/api/v1/incidents?state=odd").status_code == 422
