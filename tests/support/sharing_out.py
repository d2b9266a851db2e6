"""Test ids in; which process runs them, and in which order, out. What several tests share is made in one process only.

xdist's own ways do not fit: one test at a time makes whatever a file shares in every process, `loadfile` knows neither
an order nor what several files share, and the marks of `loadgroup` do not reach it (xdist 3.8 writes them to
`Item._nodeid`, which pytest 9.2 does not read).
"""

from __future__ import annotations

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Folders whose files share what takes long to make: replays of the samples, tshark's reading of the captures.
TOGETHER: Final = ("tests/shared_captures/", "tests/scenarios/")

#: In this order, everything else in between. Long groups first, so that the processes end at the same time. Whatever
#: opens stores last: the embedded engine (chdb 26.9) leaves 5 threads, 15 file descriptors and 4 MiB behind whenever
#: it is closed, and clients of other protocols wait with select(2), which knows no descriptor above 1,023.
FIRST: Final = (*TOGETHER, "tests/sensors/", "tests/pcaps/", "tests/analyzers/")
LAST: Final = ("tests/geophone/", "tests/dashboards/", "tests/api/", "tests/store/")


def group_of(test: str) -> str:
    """The tests that one process runs, one after the other: those of a file, or of a folder."""
    file = test.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def rank(test: str) -> int:
    """Tests of a lower rank run first; among equals the order stays."""
    for place, folder in enumerate(FIRST):
        if test.startswith(folder):
            return place
    for place, folder in enumerate(LAST):
        if test.startswith(folder):
            return len(FIRST) + 1 + place
    return len(FIRST)


class SharingOut(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """A group at a time to whichever process is free, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = (
            False  # by the number of tests, which says little of how long they take
        )
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order that the groups shall run in."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SharingOut:
    """With `-n`, whatever `--dist` says."""
    return SharingOut(config, log)
