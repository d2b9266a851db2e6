from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.answers import AlertFilter
from store.client import Store, open_store
from store.queries.alerts import count_alerts, list_alerts, newest
from store.writer import ReplayWriter
from tests.store.real_server import RealServer
from tests.store.samples import FOUND, outcome, replay_start

IDS = [found.id for found in FOUND]


@pytest.fixture(scope="module", params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def queue(request: pytest.FixtureRequest, template: Path, memory: Path) -> Iterator[Store]:
    """A store with FOUND in the alert queue, only read here."""
    if request.param == "embedded":
        shutil.copytree(template, memory / "filters", symlinks=True)
        address = str(memory / "filters")
    else:
        running: RealServer = request.getfixturevalue("server")
        address = running.url("filters")
    with open_store(address) as store:
        ReplayWriter(store, replay_start()).finish(FOUND, outcome())
        yield store


def ids(store: Store, f: AlertFilter) -> list[int]:
    """The positions in FOUND of the alerts of a filter, in the order of the queue."""
    return [IDS.index(alert.id) for alert in list_alerts(store, f).alerts]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (AlertFilter(severities=(2,)), [4, 3]),
        (AlertFilter(severities=(2, 5)), [4, 3, 0]),
        (AlertFilter(severities=(1, 300, -1)), []),
        (AlertFilter(kinds=("SEG-01",)), [3, 2]),
        (AlertFilter(states=("closed",)), []),
        (AlertFilter(states=("new", "closed"), severities=(5,)), [0]),
        (AlertFilter(zone="enterprise"), [0]),
        (AlertFilter(zone="plant"), [4, 3, 2, 1, 0]),
        (AlertFilter(replay="no such replay"), []),
        (AlertFilter(text="PROGRAMMING command"), [0]),
        (AlertFilter(text="command programming"), [0]),
        (AlertFilter(text="t0886"), [2]),
        (AlertFilter(text="fd00::5"), [2]),
        (AlertFilter(text="192.0.2"), [3]),
        (AlertFilter(text="hmi-FÖRDERBAND"), [4]),
        (AlertFilter(text="opcua seg-05"), [4]),
        (AlertFilter(text="opcua seg-01"), []),
        (AlertFilter(text="   "), [4, 3, 2, 1, 0]),
        (AlertFilter(text="%"), []),
        (AlertFilter(text="'; DROP TABLE alerts; --"), []),
        (AlertFilter(text="\\"), []),
        (AlertFilter(zone="plant' OR 1=1 --"), []),
        (AlertFilter(text="\ud800"), []),
    ],
    ids=repr,
)
def test_a_filter_chooses_the_same_alerts_for_lists_and_counts(
    queue: Store, chosen: AlertFilter, expected: list[int]
) -> None:
    assert ids(queue, chosen) == expected
    assert count_alerts(queue, chosen).total == len(expected)
    assert newest(queue, chosen, "") == len(expected)
