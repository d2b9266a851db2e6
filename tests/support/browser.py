"""A real browser for the tests of the pages: Debian's Chromium, cut off from everything but the loopback address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
#: What a page, and what is expected of it, may take.
_PATIENCE_MS: Final = 60_000
_WATCH: Final = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_AXE_RUN: Final = """axe.run(document, OPTIONS).then((result) => result.violations.map((violation) =>
  `${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`))"""
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, started once for a module."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        # Its own 5 s are a page's on a machine that does nothing else.
        expect.set_options(timeout=_PATIENCE_MS)
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_FLAGS))
        yield started
        started.close()


@dataclass(slots=True)
class Watched:
    """A page, and what it did that it should not."""

    page: Page
    origin: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go there and wait until it is loaded, scripts and all; what was noted before is forgotten."""
        self.errors.clear()
        self.requests.clear()
        self.page.goto(self.origin + path, wait_until="load")

    def settle(self) -> None:
        """Wait until nothing has loaded for half a second: at once where that is so already."""
        self.page.wait_for_load_state("networkidle")

    def complaints(self) -> list[str]:
        """Console errors, policy violations and requests to elsewhere, until nothing loads any more."""
        self.settle()
        elsewhere = [url for url in self.requests if not url.startswith((self.origin + "/", "data:"))]
        refused: list[str] = self.page.evaluate("window.refusedByPolicy")
        return [*self.errors, *refused, *elsewhere]


@contextmanager
def watched(browser: Browser, origin: str, theme: str = "light", width: int = 1440) -> Iterator[Watched]:
    """A page of a visit of its own, watched."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
    )
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.add_init_script(_WATCH)
    seen = Watched(page, origin)

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.errors.append(message.text)

    def note_request(request: Request) -> None:
        seen.requests.append(request.url)

    page.on("console", note_message)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", note_request)
    try:
        yield seen
    finally:
        context.close()


def axe_violations(page: Page, source: str) -> list[str]:
    """What axe-core finds, run in an isolated world: our content policy stays as it is for the page."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})[
        "executionContextId"
    ]
    session.send("Runtime.evaluate", {"expression": f"{source};0", "contextId": world})
    options = json.dumps(
        {"runOnly": {"type": "tag", "values": _RULES}, "preload": False, "resultTypes": ["violations"]}
    )
    answer: dict[str, Any] = session.send(
        "Runtime.evaluate",
        {
            "expression": _AXE_RUN.replace("OPTIONS", options),
            "contextId": world,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    session.detach()
    found: list[str] = answer["result"]["value"]
    return found
