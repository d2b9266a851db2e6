"""The emulator's own record in; how long frames took, and which were lost, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from pcaps.lab.plant.link.frames import Identity


@dataclass(frozen=True, slots=True)
class Crossing:
    """One frame that came to the link. Without `sent_ns` it was dropped."""

    way: str
    received_ns: int
    due_ns: int | None
    sent_ns: int | None
    frame: Identity | None

    @property
    def took_ns(self) -> int | None:
        """How long it really took, in ns; None where it was dropped."""
        return None if self.sent_ns is None else self.sent_ns - self.received_ns


def crossings(path: Path) -> Iterator[Crossing]:
    """Every frame of a truth log, in the order in which they left or were dropped."""
    with path.open() as lines:
        next(lines)  # the settings
        for line in lines:
            said = json.loads(line)
            who = said["frame"]
            yield Crossing(
                way=said["way"],
                received_ns=said["received_ns"],
                due_ns=said["due_ns"],
                sent_ns=said["sent_ns"],
                frame=None if who is None else Identity(*who),
            )


@dataclass(frozen=True, slots=True)
class Faults:
    """What the link did to some of the frames."""

    offered: int
    dropped: int

    @property
    def loss(self) -> float:
        """Share that was dropped, 0 to 1."""
        return self.dropped / self.offered if self.offered else 0.0


def faults(log: list[Crossing], wanted: Callable[[Crossing, Identity], bool]) -> Faults:
    """Offered and dropped among the wanted IPv4 frames."""
    chosen = [one for one in log if one.frame is not None and wanted(one, one.frame)]
    return Faults(len(chosen), sum(one.sent_ns is None for one in chosen))


def middle_ns(log: list[Crossing], wanted: Callable[[Crossing, Identity], bool]) -> float | None:
    """The median of how long the wanted frames took, in ns; None without any."""
    took = [
        one.took_ns
        for one in log
        if one.frame is not None and one.took_ns is not None and wanted(one, one.frame)
    ]
    return median(took) if took else None


def lateness_p99_ns(log: list[Crossing]) -> float | None:
    """How much later than due frames left: the 99th percentile, in ns; None with fewer than two frames."""
    late = [one.sent_ns - one.due_ns for one in log if one.sent_ns is not None and one.due_ns is not None]
    return quantiles(late, n=100)[98] if len(late) > 1 else None
