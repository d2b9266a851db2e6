from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from store.errors import StoreError
from store.handles import HANDLES_LIMIT, Handles

#: Puts out 3,000 rows before it fails.
FAILS_LATE = "SELECT throwIf(number = 3000) AS n FROM numbers(4000) SETTINGS max_block_size = 100"


class Made:
    """The clients that a pool made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clients: list[Client] = []

    def __call__(self) -> Client:
        client = clickhouse_connect.get_client(interface="chdb", path=str(self.folder))
        self.clients.append(client)
        return client


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Makes clients of one embedded engine; one more keeps the engine alive meanwhile."""
    keeper = Made(tmp_path / "data")
    keeper()
    yield Made(tmp_path / "data")
    keeper.clients[0].close()


def test_a_handle_whose_query_failed_never_answers_again(made: Made) -> None:
    # read without Arrow here: it is this reading that takes rows of the failed query for its own
    handles = Handles(made)
    for number in range(5):
        with pytest.raises(clickhouse_connect.driver.exceptions.Error), handles.handle() as client:
            client.query(FAILS_LATE)
        with handles.handle() as client:
            assert client.query(f"SELECT {number} AS x").result_rows == [(number,)]
    handles.close()


def test_a_handle_that_saw_any_exception_is_thrown_away(made: Made) -> None:
    handles = Handles(made)
    with pytest.raises(KeyboardInterrupt), handles.handle() as first:
        raise KeyboardInterrupt
    with handles.handle() as second:
        assert second is not first
    handles.close()


def test_a_handle_that_did_well_is_used_again(made: Made) -> None:
    handles = Handles(made)
    for _ in range(5):
        with handles.handle() as client:
            client.query("SELECT 1")
    assert len(made.clients) == 1
    handles.close()


def test_no_more_handles_than_the_limit_are_made(made: Made) -> None:
    handles = Handles(made)
    busy, most, lock = [0], [0], threading.Lock()

    def use() -> None:
        with handles.handle():
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            threading.Event().wait(0.02)
            with lock:
                busy[0] -= 1

    threads = [threading.Thread(target=use) for _ in range(HANDLES_LIMIT * 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 < most[0] <= HANDLES_LIMIT
    assert len(made.clients) <= HANDLES_LIMIT
    handles.close()


def test_a_closed_pool_says_so(made: Made) -> None:
    handles = Handles(made)
    handles.close()
    with pytest.raises(StoreError, match="closed"), handles.handle():
        pass
