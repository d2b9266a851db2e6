"""Everything from the wire is hostile text: it is shown, and never becomes markup, code or another line."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.support.plausible_day import hostile_finding
from tests.support.web import Client

_OURS = {"script"}


class _Elements(HTMLParser):
    """The elements and attributes that a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(page)
    return parser.found


def _pages(client: Client) -> list[str]:
    replay = client.get("/api/v1/replays").json()["replays"][0]["id"]
    alert = hostile_finding().id
    return [
        "/",
        "/security/alerts",
        f"/security/alerts/{alert}",
        f"/security/alerts?open={alert}",
        "/security/alerts?q=%22%3E%3Cscript%3Ealert(9)%3C/script%3E",
        "/network",
        "/network/zones/plant",
        "/network/zones/%3Cscript%3Ealert(9)%3C%2Fscript%3E",
        f"/audit/{replay}",
        "/%3Cimg%20src=x%20onerror=alert(9)%3E",
        "/network?%3Cscript%3E=1",
    ]


def test_no_page_turns_text_into_elements_or_handlers(client: Client) -> None:
    for path in _pages(client):
        page = client.get(path).text
        for tag, attributes in _elements(page):
            assert tag not in {"img", "b" if "onerror" in attributes else "iframe", "object", "embed"}, path
            assert not any(name.startswith("on") for name in attributes), path
            if tag == "script":
                assert attributes["src"], path
                assert str(attributes["src"]).startswith("/static/"), path
        assert "alert(1)</script>" not in page


def test_the_words_are_still_there_to_be_read(client: Client) -> None:
    page = client.get(f"/security/alerts/{hostile_finding().id}").text
    assert "A title &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;img src=x onerror=alert(2)&gt;\\nsecond line \\u{202e}gnp.exe" in page
    assert "\\u{2066}\\r\\nX: y" in page


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\x1b"])
def test_no_page_sends_characters_that_reorder_or_hide(client: Client, character: str) -> None:
    for path in _pages(client):
        assert character not in client.get(path).text, path


def test_what_is_searched_for_comes_back_as_text(client: Client) -> None:
    page = client.get('/security/alerts?q="><svg/onload=alert(1)>').text
    assert re.search(r'name="q" value="&#34;&gt;&lt;svg/onload=alert\(1\)&gt;"', page)


def test_a_name_in_a_command_is_quoted_for_the_shell() -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    from api.reproducing import reproduce_command
    from store.answers import Replay

    now = datetime(2026, 3, 3, tzinfo=UTC)
    usual = Replay(
        "r", "s", "a.pcap", "", 1, "p.yaml", "", "0.1", "done", now, now, 0, 0, 0, 0, 0, 0, 0, "", None
    )
    assert reproduce_command(usual) == "geophone replay a.pcap --policy p.yaml --findings findings.jsonl"
    hostile = replace(usual, capture_name="a; rm -rf $HOME.pcap")
    assert "'a; rm -rf $HOME.pcap'" in reproduce_command(hostile)
    an_option = replace(usual, capture_name="--fail-on=never.pcap")
    assert reproduce_command(an_option).startswith("geophone replay ./--fail-on=never.pcap ")
