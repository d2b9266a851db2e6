"""The pages in a real browser: policy, accessibility, keyboard, narrow screens, budgets."""

from __future__ import annotations

from collections.abc import Iterator
from re import compile as pattern

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboards.fetch_axe import SCRIPT
from tests.support.browser import Watched, axe_violations, browser, watched
from tests.support.plausible_day import POLICY_SHA256
from tests.support.web import Client

__all__ = ["browser"]

pytestmark = pytest.mark.browser

PATHS = (
    "/",
    "/security/alerts",
    "/security/alerts/{alert}",
    "/security/alerts?open={alert}",
    "/security/incidents",
    "/security/suppressions",
    "/security/incidents/{incident}",
    "/network",
    "/network/indicators",
    "/network/zones/supervisory",
    "/network/zones/plant?view=table",
    "/network/zones/energy",
    "/network/conduits/c-sup-crush",
    "/audit",
    "/audit/{replay}",
    f"/audit/policies/{POLICY_SHA256}",
    "/api/docs",
)


@pytest.fixture
def visit(browser: Browser, client: Client) -> Iterator[Watched]:
    with watched(browser, client.origin) as seen:
        yield seen


def _paths(client: Client) -> list[str]:
    alert = client.get("/api/v1/alerts?kind=SEG-05").json()["alerts"][0]["id"]
    replay = client.get("/api/v1/replays").json()["replays"][0]["id"]
    incidents = client.get("/api/v1/incidents?limit=500").json()["incidents"]
    incident = max(incidents, key=lambda one: int(one["alerts"]))["id"]
    return [path.format(alert=alert, replay=replay, incident=incident) for path in PATHS]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_keeps_its_policy_and_asks_nobody_else(
    browser: Browser, client: Client, theme: str
) -> None:
    if not SCRIPT.exists():
        pytest.skip("axe-core was not fetched: run `python -m tests.dashboards.fetch_axe`")
    source = SCRIPT.read_text(encoding="utf-8")
    with watched(browser, client.origin, theme) as seen:
        for path in _paths(client):
            seen.open(path)
            assert len(seen.requests) <= 10, path
            assert seen.page.evaluate("document.querySelectorAll('*').length") <= 3000, path
            assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            assert axe_violations(seen.page, source) == [], f"{path} in {theme}"
            # Last: what a page may still load, it loads while it is looked at; the queue asks for news meanwhile.
            assert seen.complaints() == [], path
            assert len(set(seen.requests)) <= 10, path


@pytest.mark.parametrize("width", [390, 768])
def test_no_page_is_wider_than_its_window(browser: Browser, client: Client, width: int) -> None:
    with watched(browser, client.origin, width=width) as seen:
        for path in _paths(client):
            seen.open(path)
            assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def test_the_first_tab_leads_past_the_header(visit: Watched) -> None:
    visit.open("/network")
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator(".skip")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#main")).to_be_focused()


def test_the_queue_is_worked_by_keyboard_and_focus_returns(visit: Watched) -> None:
    visit.open("/security/alerts")
    page, rows = visit.page, visit.page.locator("tr.alert a.cover")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .title")).to_be_focused()
    expect(page).to_have_url(pattern(r"[?&]open=[0-9a-f]{32}$"))
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("input[type=search]")).to_be_focused()
    assert visit.complaints() == []


def test_keys_typed_into_a_field_are_only_text(visit: Watched) -> None:
    visit.open("/security/alerts")
    visit.page.locator("input[type=search]").focus()
    visit.page.keyboard.type("jka/")
    expect(visit.page.locator("input[type=search]")).to_have_value("jka/")
    expect(visit.page.locator("#drawer")).to_be_hidden()


def test_the_open_alert_is_in_the_address_and_going_back_closes_it(visit: Watched) -> None:
    visit.open("/security/alerts?severity=critical")
    visit.page.locator("tr.alert").first.click()
    expect(visit.page.locator("#drawer .title")).to_be_visible()
    address = visit.page.url
    assert "severity=critical" in address
    visit.page.go_back()
    expect(visit.page.locator("#drawer")).to_be_hidden()
    visit.page.goto(address)
    expect(visit.page.locator("#drawer .title")).to_be_visible()


def test_choosing_a_zone_filters_at_once(visit: Watched) -> None:
    visit.open("/security/alerts")
    visit.page.locator("select[name=zone]").select_option("crushing")
    expect(visit.page).to_have_url(pattern("zone=crushing"))
    expect(visit.page.locator("tr.alert")).to_have_count(2)


def test_the_pointer_reads_values_off_the_chart(visit: Watched) -> None:
    visit.open("/network/zones/supervisory")
    visit.page.locator("svg.bands").first.hover(position={"x": 400, "y": 100})
    expect(visit.page.locator(".reading").first).to_contain_text(pattern(r"03 \d\d:\d\d UTC +p50 [\d.]+ ms"))
    assert visit.complaints() == []


def test_the_theme_is_chosen_and_kept(visit: Watched) -> None:
    visit.open("/network?range=1h")
    visit.page.get_by_role("button", name="Dark theme").click()
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert visit.page.url.endswith("/network?range=1h")
    visit.open("/audit")
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "dark")
    visit.page.get_by_role("button", name="Light theme").click()
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "light")


def test_every_cut_label_of_the_map_can_be_read_whole(visit: Watched) -> None:
    visit.open("/network")
    overflowing = visit.page.evaluate(
        """() => [...document.querySelectorAll(".zonemap .zone")].filter((zone) => {
          const box = zone.querySelector("rect").getBoundingClientRect();
          return [...zone.querySelectorAll("text")].some((text) => text.getBoundingClientRect().right > box.right - 20);
        }).map((zone) => zone.getAttribute("aria-label"))"""
    )
    assert overflowing == []
