"""The indicators that a store knows: decisions, who decides, exposure; and what is not measurable."""

from __future__ import annotations

from tests.support.web import Client


def test_the_page_shows_all_six_with_a_number_or_a_reason(client: Client) -> None:
    page = client.get("/network/indicators?from=2026-03-03T00:00:00Z&to=2026-03-03T06:00:00Z").text
    for number, name in enumerate(
        ("Critical network", "Latency", "Data integrity", "Time from", "Adoption", "Incidents")
    ):
        assert f"<h2>{number + 1}. {name}" in page
    assert page.count('<p class="figure">') == 6
    assert "roles are not measurable" in page or "the API knows no roles" in page


def test_an_indicator_of_the_report_and_of_the_page_is_one_number(client: Client) -> None:
    period = "from=2026-03-03T00:00:00Z&to=2026-03-03T06:00:00Z"
    report = client.get(f"/api/v1/sla/report?{period}").json()
    page = client.get(f"/network/indicators?{period}").text
    for one in report["indicators"][:3]:
        assert one["value"] is not None
        assert one["made_of"] in page.replace("&#39;", "'")
    assert [one["value"] for one in report["indicators"][3:]] == [None, None, None]


def test_the_overview_leads_to_the_indicators_of_the_same_range(client: Client) -> None:
    assert 'href="/network/indicators?range=1h"' in client.get("/network?range=1h").text
