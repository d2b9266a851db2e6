"""Suppressions and the files that a replay was judged by, in a real browser: accessible, and no wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from geophone.given import load_given
from geophone.runner import replay
from policy.loader import load
from sensors.capture import open_capture
from store.client import open_store
from tests.api.test_suppressions import POLICY
from tests.dashboards.fetch_axe import SCRIPT
from tests.support import pcap_bytes
from tests.support.browser import axe_violations, browser, watched
from tests.support.web import Client, client_of

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A replay with an indicator, under a policy with suppressions."""
    folder: Path = tmp_path_factory.mktemp("judged")
    frames = pcap_bytes.modbus_exchange(
        "10.40.0.7", "10.20.0.11", pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
    )
    (folder / "one.pcap").write_bytes(pcap_bytes.pcap(frames))
    (folder / "site.yaml").write_text(POLICY)
    (folder / "a-feed-with-a-name-that-is-longer-than-a-phone-is-wide.csv").write_text(
        "type,value\naddress,10.40.0.7\n"
    )
    given = load_given(None, sorted(folder.glob("*.csv")))
    with open_store(folder / "store") as store:
        replay(open_capture(folder / "one.pcap"), load(folder / "site.yaml"), store=store, given=given)
        with client_of(store) as client:
            yield client


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_are_accessible_and_fit_a_phone(browser: Browser, judged: Client, theme: str) -> None:
    if not SCRIPT.exists():
        pytest.skip("axe-core was not fetched: run `python -m tests.dashboards.fetch_axe`")
    source = SCRIPT.read_text(encoding="utf-8")
    replay_id = judged.get("/api/v1/replays").json()["replays"][0]["id"]
    with watched(browser, judged.origin, theme, width=390) as seen:
        for path in ("/security/suppressions", f"/audit/{replay_id}"):
            seen.open(path)
            assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            assert axe_violations(seen.page, source) == [], f"{path} in {theme}"
            assert seen.complaints() == [], path
