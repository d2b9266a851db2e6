"""Ctrl-C and SIGTERM as a request: the work ends in its own order, with nothing lost. A second one does not ask."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block the first SIGINT or SIGTERM calls `stop`; after it they do what they did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
