from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.answers import AlertFilter
from store.client import Store, open_store
from store.queries.alerts import list_alerts, newest
from store.queries.cursor import decode, encode
from store.writer import ReplayWriter
from tests.store.samples import START_NS, finding, outcome, replay_start

ALL = AlertFilter()


@pytest.fixture(scope="module")
def long_queue(memory: Path) -> Iterator[tuple[Store, list[str]]]:
    """700 alerts, many in the same nanosecond, and their ids in the order of the queue."""
    many = [finding(number, first_ns=START_NS + number // 10) for number in range(700)]
    with open_store(memory / "long-queue") as store:
        ReplayWriter(store, replay_start()).finish(many, outcome())
        expected = sorted(many, key=lambda found: (found.first_ns, found.id), reverse=True)
        yield store, [found.id for found in expected]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(60, 700))
def test_pages_show_every_alert_once_in_order(long_queue: tuple[Store, list[str]], limit: int) -> None:
    store, expected = long_queue
    seen: list[str] = []
    after = ""
    for _ in range(700):
        page = list_alerts(store, ALL, after, limit)
        assert 0 < len(page.alerts) <= limit
        seen += [alert.id for alert in page.alerts]
        after = page.next
        if not after:
            break
    assert seen == expected


def test_a_page_that_ends_with_the_queue_has_no_next(long_queue: tuple[Store, list[str]]) -> None:
    store, expected = long_queue
    first = list_alerts(store, ALL, limit=350)
    second = list_alerts(store, ALL, first.next, limit=350)
    assert (second.next, second.alerts[-1].id) == ("", expected[-1])


@pytest.mark.parametrize(
    "damaged", ["x", "%%%", "W10", encode("a", "b"), encode(1), encode(2**70, "x"), "é", "[" * 9999]
)
def test_a_damaged_cursor_is_refused(long_queue: tuple[Store, list[str]], damaged: str) -> None:
    with pytest.raises(ValueError, match="cursor is damaged"):
        list_alerts(long_queue[0], ALL, damaged)
    with pytest.raises(ValueError, match="cursor is damaged"):
        newest(long_queue[0], ALL, encode("not a time"))


@given(number=st.integers(-(2**63), 2**63 - 1), text=st.text())
def test_a_cursor_says_what_was_put_in(number: int, text: str) -> None:
    assert decode(encode(number, text), int, str) == (number, text)
