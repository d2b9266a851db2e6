"""Zones and conduits against their targets."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.support.plausible_day import LOSSY, SILENT
from tests.support.web import Client


def _zones(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/zones{query}")
    assert answer.status_code == 200
    return {zone["id"]: zone for zone in answer.json()["zones"]}


def test_a_zone_without_traffic_is_no_data_never_met(client: Client) -> None:
    energy = _zones(client)["energy"]
    assert energy["status"] == "no data"
    assert energy["budget_left"] is None
    assert energy["summary"]["total"]["availability"] is None
    assert energy["summary"]["total"]["loss"] is None


def test_zones_are_worst_first(client: Client) -> None:
    order = ["breached", "at risk", "no data", "met"]
    found = [zone["status"] for zone in _zones(client).values()]
    assert found == sorted(found, key=order.index)
    assert {"breached", "no data", "met"} <= set(found)


def test_the_overloaded_hour_breaches_the_supervisory_zone(client: Client) -> None:
    # 3 % of requests fail in the hour, C2 allows 0.1 %
    hour = _zones(client, "?from=2026-03-03T19:40:00Z&to=2026-03-03T20:40:00Z")["supervisory"]
    assert hour["status"] == "breached"
    assert hour["summary"]["total"]["availability"] < 0.99
    assert any("availability" in reason for reason in hour["reasons"])


def test_a_quiet_hour_meets_the_target_of_the_same_zone(client: Client) -> None:
    # 132 requests a minute, 0.01 % of which fail: the hours of the night with none are met
    night = [
        _zones(client, f"?from=2026-03-03T0{hour}:00:00Z&to=2026-03-03T0{hour}:30:00Z")["dmz"]["status"]
        for hour in (0, 1, 5)
    ]
    assert night == ["met", "met", "met"]


def test_a_zone_of_which_only_round_trips_are_seen_is_not_met(client: Client) -> None:
    # browsers of the enterprise speak TLS: no answer can be told
    found = _zones(client, "?from=2026-03-03T00:00:00Z&to=2026-03-03T00:30:00Z")["enterprise"]
    assert found["summary"]["total"]["rtt_p95_ns"] is not None
    assert found["status"] == "no data"
    assert found["reasons"] == ["neither budget was measured: no request with an answer was seen"]


@pytest.mark.parametrize(
    "period",
    [
        "from=2026-03-03T00:00:00Z&to=2026-03-03T00:30:00Z",
        "from=2026-03-03T19:40:00Z&to=2026-03-03T20:40:00Z",
        "from=2026-02-20T00:00:00Z&to=2026-03-04T00:00:00Z",
    ],
    ids=["held", "overloaded", "held-in-part"],
)
def test_a_page_and_a_report_of_the_same_period_say_the_same(client: Client, period: str) -> None:
    zones = _zones(client, f"?{period}")
    report = {scope["id"]: scope for scope in client.get(f"/api/v1/sla/report?{period}").json()["scopes"]}
    for zone, shown in zones.items():
        assert (shown["status"], shown["reasons"]) == (report[zone]["status"], report[zone]["reasons"])


def test_a_range_that_the_captures_hold_a_part_of_is_not_met(client: Client) -> None:
    found = _zones(client, "?from=2026-02-20T00:00:00Z&to=2026-03-04T00:00:00Z")
    assert "met" not in {zone["status"] for zone in found.values()}
    assert any("the captures hold" in reason for zone in found.values() for reason in zone["reasons"])


def test_minutes_in_which_the_capture_lost_packets_are_no_data(client: Client) -> None:
    lossy = _zones(client, "?from=2026-03-03T03:00:00Z&to=2026-03-03T03:10:00Z")
    assert len(LOSSY) == 10
    assert {zone["status"] for zone in lossy.values()} == {"no data"}
    assert lossy["plant"]["summary"]["minutes_seen"] == 10
    assert lossy["plant"]["summary"]["minutes_valid"] == 0


def test_a_series_has_every_step_and_blanks_where_nothing_was_captured(client: Client) -> None:
    body = client.get("/api/v1/zones/plant/sla?step=600").json()
    assert len(body["points"]) == 144
    silent = body["points"][SILENT.start // 10]
    assert silent["packets"] == 0
    assert silent["coverage"] is None
    assert silent["rtt_p95_ns"] is None
    assert silent["availability"] is None
    busy = body["points"][60]
    assert busy["rtt_p50_ns"] < busy["rtt_p95_ns"] < busy["rtt_p99_ns"]
    assert busy["transactions"] > 0


def test_the_table_has_the_same_figures_and_empty_cells_for_what_was_not_measured(client: Client) -> None:
    query = "?step=600&from=2026-03-03T14:00:00Z&to=2026-03-03T15:00:00Z"
    answer = client.get(f"/api/v1/zones/plant/sla.csv{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="zone-plant-20260303T1400Z-20260303T1500Z.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    points = client.get(f"/api/v1/zones/plant/sla{query}").json()["points"]
    assert [row["rtt_p95_ns"] for row in rows] == [str(p["rtt_p95_ns"] or "") for p in points]
    assert rows[1]["coverage"] == rows[1]["loss"] == rows[1]["availability"] == ""


def test_a_conduit_has_a_series_of_its_own(client: Client) -> None:
    body = client.get("/api/v1/conduits/c-sup-crush/sla?range=1h").json()
    assert body["scope"]["name"] == "Supervisory → Crushing"
    assert body["scope"]["target"]["sla_class"] == "C1"
    assert len(body["points"]) == 60
    # one conversation of 60 requests a minute
    assert {point["transactions"] for point in body["points"]} == {60}


def test_a_conduit_that_was_never_used_is_no_data(client: Client) -> None:
    body = client.get("/api/v1/conduits/c-ops-energy/sla").json()
    assert body["scope"]["status"] == "no data"
    assert {point["packets"] for point in body["points"]} == {0}


@pytest.mark.parametrize("kind", ["zones/plant", "conduits/c-sup-plant"])
def test_the_budget_in_minutes_is_the_budget_in_share(client: Client, kind: str) -> None:
    scope = client.get(f"/api/v1/{kind}/sla").json()["scope"]
    # C2: 99.9 % of 30 days is 43.2 minutes of budget
    assert scope["budget_left_minutes"] == pytest.approx(scope["budget_left"] * 43.2)
    assert 0 < scope["budget_left"] < 1
