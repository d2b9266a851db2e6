"""What a client asked and was answered, counted by operation; and how a station says so."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

READY: Final = "ready"

#: One operation: protocol, server, operation, asked, answered.
Line = dict[str, str | int]


class Counts:
    """Counts of one client's operations on one server."""

    def __init__(self, protocol: str, server: str) -> None:
        self._protocol, self._server = protocol, server
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()

    def asked(self, operation: str, times: int = 1) -> None:
        """An operation was asked for."""
        self._asked[operation] += times

    def answered(self, operation: str, times: int = 1) -> None:
        """It was answered, well or not."""
        self._answered[operation] += times

    def lines(self) -> list[Line]:
        """The report."""
        return [
            {
                "protocol": self._protocol,
                "server": self._server,
                "operation": operation,
                "asked": asked,
                "answered": self._answered[operation],
            }
            for operation, asked in sorted(self._asked.items())
        ]


def say(text: str) -> None:
    """A line on standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def ticks(seconds: float, period_s: float) -> Iterator[int]:
    """0, 1, 2 … at their times, for so long; a tick that is late does not shift the next, but none comes too late."""
    start = time.monotonic()
    number = 0
    while max(number * period_s, time.monotonic() - start) < seconds:
        time.sleep(max(0.0, start + number * period_s - time.monotonic()))
        yield number
        number += 1
