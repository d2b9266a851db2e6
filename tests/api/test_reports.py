"""The SLA report over HTTP: the same as the command line's, cut to what was asked for."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from analyzers.sla_report_form import SlaReport
from api.sla_forms import csv_columns, json_text
from tests.support.web import Client

PATH = "/api/v1/sla/report"


def _report(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_figures_are_those_of_the_zones_own_page(client: Client) -> None:
    span = "?from=2026-03-03T19:40:00Z&to=2026-03-03T20:40:00Z"
    scopes = {scope["id"]: scope for scope in _report(client, span)["scopes"] if scope["kind"] == "zone"}
    zones = {zone["id"]: zone for zone in client.get(f"/api/v1/zones{span}").json()["zones"]}
    assert set(scopes) == set(zones)
    for name, zone in zones.items():
        scope, total = scopes[name], zone["summary"]["total"]
        assert scope["status"] == zone["status"], name
        assert scope["outcomes"]["good"] == total["good"]
        assert scope["outcomes"]["requests"] == total["transactions"]
        assert scope["packets"] == total["packets"]
        for ours, theirs in (
            (scope["transaction"]["p99_ms"], total["transaction_p99_ns"]),
            (scope["rtt"]["p95_ms"], total["rtt_p95_ns"]),
            (scope["rtt"]["p50_ms"], total["rtt_p50_ns"]),
        ):
            assert ours == (None if theirs is None else theirs / 1e6)
        assert scope["minutes"]["counted"] == zone["summary"]["minutes_valid"]


def test_it_is_what_its_schema_says(client: Client) -> None:
    report = SlaReport.model_validate(_report(client))
    assert json_text(report).endswith("}\n")
    assert report.watched.minutes < report.period.minutes


def test_csv_has_one_row_a_scope(client: Client) -> None:
    answer = client.get(f"{PATH}.csv?zone=plant&zone=energy")
    assert answer.headers["content-type"].startswith("text/csv")
    assert re.search(
        r'filename="sla-mine-a-\d{8}T\d{4}Z-\d{8}T\d{4}Z\.csv"', answer.headers["content-disposition"]
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == ["plant", "energy"] or [row["id"] for row in rows] == [
        "energy",
        "plant",
    ]
    assert tuple(rows[0]) == csv_columns()


def test_a_month_is_the_sites(client: Client) -> None:
    report = _report(client, "?month=2026-03")
    assert report["period_name"] == "2026-03"
    assert report["budget_minutes"] == report["period"]["minutes"]
    assert "met" not in {scope["status"] for scope in report["scopes"]}


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?zone=attic", 404, "attic"),
        ("?conduit=attic", 404, "attic"),
        ("?site=elsewhere", 404, "elsewhere"),
        ("?month=2026-13", 422, "write it like 2026-11"),
        ("?month=2026-03&from=2026-03-03T00:00:00Z", 422, "either the month, or the times"),
        ("?from=2026-03-04T00:00:00Z&to=2026-03-03T00:00:00Z", 422, "before it starts"),
        ("?colour=red", 422, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, query: str, status: int, words: str) -> None:
    answer = client.get(f"{PATH}{query}")
    assert answer.status_code == status, answer.text
    assert words in answer.text


@pytest.mark.parametrize("page", ["/network", "/network/zones/plant"])
def test_the_pages_lead_to_the_report_of_their_range(client: Client, page: str) -> None:
    text = client.get(page).text
    html, csv_link = (
        re.search(rf'href="({path}[^"]*)"', text) for path in ("/network/report.html", rf"{PATH}\.csv")
    )
    assert html
    assert csv_link
    document = client.get(html[1].replace("&amp;", "&"))
    assert document.status_code == 200
    assert document.headers["content-disposition"].startswith('attachment; filename="sla-mine-a-')
    assert document.text.startswith("<!doctype html>")
    rows = list(csv.DictReader(io.StringIO(client.get(csv_link[1].replace("&amp;", "&")).text)))
    assert [row["id"] for row in rows] == ["plant"] if "zones" in page else len(rows) > 1
