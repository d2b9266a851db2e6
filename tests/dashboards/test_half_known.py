"""Findings of which one end is not known, or is many: nothing is pointed at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzers.findings import Severity
from geophone.report import ends_of
from geophone.runner import replay
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from store.client import open_store
from tests.support.plausible_day import finding
from tests.support.web import Client, client_of

#: A device that appears has nobody that it does it to; an address that flips has nobody known to be behind it.
ONE_END = {"SEG-09": "new-device", "G2": "arp-flip"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_store(tmp_path_factory.mktemp("half") / "store") as store:
        for name in ONE_END.values():
            replay(open_capture(sample(name).capture), load(sample(name).policy), store=store)
        with client_of(store) as client:
            yield client


@pytest.mark.parametrize("kind", ONE_END)
def test_an_end_that_is_not_there_is_not_shown(pages: Client, kind: str) -> None:
    listed = pages.get("/api/v1/alerts?limit=200").json()["alerts"]
    alert = next(one for one in listed if one["kind"] == kind and not (one["src_ip"] and one["dst_ip"]))
    page = pages.get(f"/security/alerts/{alert['id']}").text
    assert ("<dt>To</dt>" in page) == bool(alert["dst_ip"])
    assert ("nobody known" in page) != bool(alert["src_ip"])
    queue = pages.get("/security/alerts").text
    (row,) = [part for part in queue.split("<tr") if f'data-id="{alert["id"]}"' in part]
    ends = row.partition('class="c-ends"')[2].partition("</td>")[0]
    assert ("→" in ends) == bool(alert["dst_ip"])
    assert ("?" in ends) != bool(alert["src_ip"])


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "dst_port": 502}, "10.0.0.1 → 10.0.0.2:502"),
        ({"src_ip": "10.0.0.1", "dst_ip": "fd00::2", "dst_port": 22}, "10.0.0.1 → [fd00::2]:22"),
        ({"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "dst_port": 0}, "10.0.0.1 → 10.0.0.2"),
        ({"src_ip": "10.0.0.1", "dst_ip": "", "dst_port": 0}, "10.0.0.1"),
        ({"src_ip": "", "dst_ip": "10.0.0.2", "dst_port": 0}, "? → 10.0.0.2"),
        ({"src_ip": "", "dst_ip": "", "dst_port": 0}, "the sensor"),
    ],
)
def test_both_ends_in_words(ends: dict[str, object], words: str) -> None:
    assert ends_of(finding(1, "SEG-09", "a title", "Why.", Severity.LOW, **ends)) == words
