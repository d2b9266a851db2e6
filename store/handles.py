"""Handles to the engine: made on demand, used by one thread at a time, thrown away after any error.

After a failed query an embedded handle can return rows of the failed query in front of the next result, without
a word: a handle that saw an exception is never used again. Making a new one costs 20 ms.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from store.errors import StoreError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

#: Handles of the embedded engine serialize anyway; a server's are connections.
HANDLES_LIMIT: Final = 8
#: A page waits this long for a handle before it says that the store is busy.
WAIT_S: Final = 60


class Handles:
    """A bounded pool of clients made by `make`, shared by threads."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(HANDLES_LIMIT)
        self._closed = False

    @contextlib.contextmanager
    def handle(self) -> Iterator[Client]:
        """One client for the block; thrown away when the block raises."""
        if not self._slots.acquire(timeout=WAIT_S):
            raise StoreError(f"the store is busy: no connection came free within {WAIT_S} s; try again")
        try:
            client = self._take()
            try:
                yield client
            except BaseException:
                client.close()
                raise
            self._give_back(client)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the idle clients; those in use close when their block ends. A second call does nothing."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self) -> Client:
        if self._closed:
            raise StoreError("the store is closed")
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._make()

    def _give_back(self, client: Client) -> None:
        if self._closed:
            client.close()
        else:
            self._idle.put(client)
