"""Denied by default: unknown parameters, values and things are refused, with their repair."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from api import documentation
from api.app import PREFIX
from api.routes import ROUTES
from dashboards.app import add_pages
from dashboards.pages import PAGES
from tests.support import plausible_day
from tests.support.web import ELSEWHERE, Client


def _reading_routes() -> list[str]:
    routers = (*ROUTES, *PAGES, documentation.router)
    prefixes = [PREFIX] * len(ROUTES) + [""] * (len(PAGES) + 1)
    return [
        prefix + route.path
        for prefix, router in zip(prefixes, routers, strict=True)
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    ]


def _filled(path: str, alert: str, replay: str) -> str:
    values = {
        "zone_id": "plant",
        "conduit_id": "c-sup-plant",
        "alert_id": alert,
        "incident_id": alert,
        "replay_id": replay,
        "sha256": plausible_day.POLICY_SHA256,
    }
    if "/baselines/" in path:
        values["sha256"] = ELSEWHERE.sha256
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


def test_every_route_answers_and_refuses_an_unknown_parameter(client: Client) -> None:
    alert = client.get("/api/v1/alerts").json()["alerts"][0]["id"]
    replay = client.get("/api/v1/replays").json()["replays"][0]["id"]
    routes = _reading_routes()
    assert len(routes) > 20
    for route in routes:
        path = _filled(route, alert, replay)
        assert "{" not in path, f"give the test a value for {route}"
        assert client.get(path).status_code == 200, path
        refused = client.get(path, params={"nonsense": "1"})
        assert refused.status_code == 422, f"{path} takes any parameter"
        assert "nonsense" in refused.text


def test_names_the_parameter_that_was_meant(client: Client) -> None:
    body = client.get("/api/v1/alerts?sevrity=high").json()
    assert body["status"] == 422
    assert body["errors"] == [
        {"parameter": "sevrity", "problem": "unknown parameter", "repair": "did you mean 'severity'?"}
    ]


def test_names_every_refused_parameter_at_once(client: Client) -> None:
    body = client.get("/api/v1/alerts?severity=loud&limit=0&after=%C3%A9&stat=new").json()
    problems = {error["parameter"].split(".")[0]: error["repair"] for error in body["errors"]}
    assert problems.keys() == {"severity", "limit", "after", "stat"}
    assert "'critical'" in problems["severity"]
    assert "1" in problems["limit"]
    assert all(problems.values())


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("/api/v1/zones/nowhere/sla", "zone"),
        ("/api/v1/zones/nowhere/sla.csv", "zone"),
        ("/api/v1/conduits/nowhere/sla", "conduit"),
        (f"/api/v1/alerts/{'0' * 32}", "alert"),
        (f"/api/v1/alerts/{'0' * 32}/similar", "alert"),
        ("/api/v1/replays/nowhere", "replay"),
        ("/api/v1/replays/nowhere/findings.jsonl", "replay"),
        (f"/api/v1/policies/{'0' * 64}.yaml", "policy"),
    ],
)
def test_says_what_is_not_there(client: Client, path: str, noun: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert noun in body["detail"]
    assert body["repair"]
    assert body["instance"] == path


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/alerts/not-an-id",
        "/api/v1/policies/short.yaml",
        "/api/v1/zones/plant/sla?step=61",
        "/api/v1/zones?from=noon",
    ],
)
def test_refuses_values_of_the_wrong_form(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["repair"]


def test_unknown_routes_and_methods_are_refused(client: Client) -> None:
    assert client.get("/api/v2/alerts").status_code == 404
    assert client.get("/api/v1/alerts/").status_code == 404
    assert client.post("/api/v1/alerts", json={}).status_code == 405
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_the_pages_answer_from_the_store_of_the_api(client: Client) -> None:
    with pytest.raises(ValueError, match="one store"):
        add_pages(client.app, None)  # type: ignore[arg-type]
