"""Deciding in a real browser, with a script and without one."""

from __future__ import annotations

from collections.abc import Iterator
from re import compile as pattern
from typing import cast

import pytest
from playwright.sync_api import Browser, expect

from analyzers.findings import Severity
from api.context import Context
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter
from tests.support import plausible_day
from tests.support.browser import Watched, browser, watched
from tests.support.web import Client

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(browser: Browser, deciding_client: Client) -> Iterator[Watched]:
    with watched(browser, deciding_client.origin) as seen:
        yield seen


def test_acknowledges_by_key_and_the_queue_shows_it(visit: Watched) -> None:
    visit.open("/security/alerts")
    page = visit.page
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer .title")).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#drawer .said")).to_have_text("Kept: acknowledged.")
    expect(page.locator("tr.alert").first.locator(".state")).to_have_text("acknowledged")
    expect(page.locator("main .head")).to_contain_text("median")
    assert visit.complaints() == []


def test_a_refused_decision_is_said_in_the_drawer(visit: Watched) -> None:
    visit.open("/security/alerts")
    page = visit.page
    page.locator("tr.alert").first.click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#drawer [role=alert]")).to_contain_text("note")
    page.get_by_label("Note").fill("seen on the way to lunch")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#drawer .said")).to_have_text("Kept: closed.")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("#drawer .said")).to_have_text("Kept: reopened.")
    expect(page.locator("#drawer .events li")).to_have_count(2)


def test_newer_alerts_are_offered_not_pushed(visit: Watched, deciding_client: Client) -> None:
    visit.open("/security/alerts")
    expect(visit.page.locator("#newer")).to_be_hidden()
    before = visit.page.locator("tr.alert").count()
    context = cast(Context, deciding_client.app.state.context)
    start = ReplayStart(
        "mine-a",
        "next.pcap",
        "1" * 64,
        1,
        "mine-a.yaml",
        plausible_day.POLICY_SHA256,
        plausible_day.POLICY,
        "0.1.0",
    )
    found = plausible_day.finding(1439, "SEG-01", "a new conversation", "It is new.", Severity.HIGH)
    with ReplayWriter(context.store, start) as writer:
        writer.finish((found,), ReplayOutcome(found.first_ns, found.last_ns, 1, 0, 1, 0, "", 1.0))
    expect(visit.page.locator("#newer")).to_have_text("1 new alert: show")
    assert visit.page.locator("tr.alert").count() == before
    visit.page.locator("#newer").click()
    expect(visit.page.locator("tr.alert")).to_have_count(before + 1)


def test_without_a_script_filters_opens_and_acknowledges(browser: Browser, deciding_client: Client) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{deciding_client.origin}/security/alerts")
    page.locator("nav[aria-label=Severity] a", has_text="critical").click()
    expect(page).to_have_url(pattern(r"severity=critical$"))
    expect(page.locator("tr.alert")).to_have_count(2)
    page.locator("select[name=zone]").select_option("crushing")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tr.alert")).to_have_count(1)
    page.locator("tr.alert a.cover").click()
    expect(page.locator("h1.title")).to_have_text("An operation the rule does not allow")
    page.get_by_label("Note").fill("by hand")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".badges .state")).to_have_text("acknowledged")
    expect(page.locator(".events")).to_contain_text("by hand")
    page.goto(f"{deciding_client.origin}/network/zones/plant")
    expect(page.locator("svg.bands")).to_have_count(2)
    context.close()
