"""A simulated clock: events in, called in the order of their time; nothing here knows the wall clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from typing import Final

MICROSECOND: Final = 1_000
MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000

#: What a process yields: the time to go on at, or what tells a waker when to go on.
Wait = int | Callable[[Callable[[], None]], None]
Process = Generator[Wait, None, None]


class Clock:
    """Simulated time in ns since the epoch, UTC, and the events that are still to come."""

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0

    def at(self, time_ns: int, event: Callable[[], None]) -> None:
        """Call `event` at that time; events of the same time are called in the order they were given."""
        if time_ns < self.now_ns:
            raise ValueError(f"an event at {time_ns} ns is in the past of {self.now_ns} ns")
        heapq.heappush(self._events, (time_ns, self._sequence, event))
        self._sequence += 1

    def after(self, delay_ns: int, event: Callable[[], None]) -> None:
        """Call `event` that much later."""
        self.at(self.now_ns + delay_ns, event)

    def start(self, process: Process) -> None:
        """Run a process: it yields a time to sleep until, or a function that takes its waker."""

        def resume() -> None:
            wait = next(process, None)
            if wait is None:
                return
            if isinstance(wait, int):
                self.at(max(wait, self.now_ns), resume)
            else:
                wait(resume)

        resume()

    def run(self) -> None:
        """Run until nothing is left to happen."""
        while self._events:
            self.now_ns, _, event = heapq.heappop(self._events)
            event()
