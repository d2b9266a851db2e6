"""Somebody at work on a remote screen: now and then a few keys or a mouse, and what the screen shows of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import Line, client, server


@dataclass(frozen=True, slots=True)
class Work:
    """A stretch of work: from, to, and about how long between two of its actions; ns."""

    from_ns: int
    to_ns: int
    every_ns: int = 20 * SECOND


def lines_of(
    work: Work,
    chance: random.Random,
    act: Callable[[random.Random], bytes],
    show: Callable[[random.Random], bytes],
) -> list[Line]:
    """One line of each side an action; `act` and `show` make their bytes."""
    made: list[Line] = []
    at_ns = work.from_ns
    while at_ns < work.to_ns:
        made += [client(act(chance), at_ns), server(show(chance))]
        at_ns += round(work.every_ns * chance.uniform(0.6, 1.4))
    return made
