"""What every request must satisfy and every answer carries."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from api.guard import refusal
from tests.support.web import Client

ORIGIN = "http://127.0.0.1:8080"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:65535"])
def test_lets_loopback_names_in(host: str) -> None:
    assert refusal("GET", Headers({"host": host})) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8080",
        "localhost.",
        "localhost:8080@evil.example",
        "127.0.0.1:",
        "127.0.0.2",
        "",
        "LOCALHOST\xdf",
    ],
)
def test_refuses_a_name_that_resolves_to_loopback(host: str) -> None:
    problem = refusal("GET", Headers({"host": host}))
    assert problem is not None
    assert problem.status == 421


def test_refuses_a_request_without_or_with_two_hosts() -> None:
    assert refusal("GET", Headers({})) is not None
    assert refusal("GET", Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")])) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},
        {"origin": ORIGIN, "sec-fetch-site": "same-origin"},
        {"content-type": "application/json"},
        {"content-type": "application/json; charset=utf-8"},
    ],
)
def test_lets_a_change_from_our_own_pages_or_a_program_through(headers: dict[str, str]) -> None:
    assert refusal("POST", Headers({"host": "127.0.0.1:8080", **headers})) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "text/plain"},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9090"},
        {"origin": "https://127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site", "content-type": "application/json"},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
        {"sec-fetch-site": "none", "origin": ORIGIN},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "OPTIONS"])
def test_refuses_a_change_from_elsewhere(method: str, headers: dict[str, str]) -> None:
    problem = refusal(method, Headers({"host": "127.0.0.1:8080", **headers}))
    assert problem is not None
    assert problem.status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/security/alerts",
        "/api/v1/health",
        "/api/docs",
        "/nowhere",
        "/api/v1/nowhere",
        "/static/geophone.js",
    ],
)
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


def test_a_refused_request_reaches_no_route_and_carries_the_headers(client: Client) -> None:
    answer = client.get("/api/v1/alerts", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == POLICY
    assert "Mine" not in answer.text


def test_a_failure_of_ours_carries_the_headers_and_no_details(client: Client) -> None:
    def broken() -> None:
        raise RuntimeError("the inside of it")

    client.app.add_api_route("/api/v1/broken", broken)
    answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == POLICY
    assert "inside" not in answer.text
