"""The emulator's own record in; how long frames took, and which were lost, out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from pcaps.lab.plant.link.frames import SYN, Identity


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

    def at_ns(self, end: str) -> int:
        """When it was at the end of the link that frames to `end` leave at. It must not have been dropped."""
        if self.sent_ns is None:
            raise ValueError("a frame that was dropped is at one end only")
        return self.sent_ns if self.way == end else self.received_ns


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


_SEQUENCES: Final = 1 << 32


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


@dataclass(frozen=True, slots=True)
class Handshake:
    """A handshake of which nothing was lost or sent again."""

    syn: Crossing
    syn_ack: Crossing
    ack: Crossing

    def round_trip_ns(self, end: str) -> int:
        """From SYN to ACK, as one sees it who sits at that end of the link."""
        return self.ack.at_ns(end) - self.syn.at_ns(end)

    def near_half_ns(self, end: str) -> int:
        """From SYN-ACK to ACK, at that end."""
        return self.ack.at_ns(end) - self.syn_ack.at_ns(end)


def handshakes(log: list[Crossing], port: int) -> list[Handshake]:
    """The clean handshakes of clients on the router's side with a server's port."""
    found: dict[tuple[str, int, str, int], list[list[Crossing]]] = defaultdict(lambda: [[], [], []])
    for one in log:
        who = one.frame
        if who is None or port not in (who.sport, who.dport):
            continue
        if who.sport == port:
            if who.flags & SYN:
                found[who.dst, who.dport, who.src, who.sport][1].append(one)
            continue
        syn, _, ack = found[who.conversation]
        if who.flags & SYN:
            syn.append(one)
        elif not ack:
            ack.append(one)
    return [
        Handshake(*(part[0] for part in parts))
        for parts in found.values()
        if all(len(part) == 1 and part[0].sent_ns is not None for part in parts)
    ]


def bursts_ns(log: list[Crossing], port: int, end: str) -> list[int]:
    """From a segment to the ACK that covers it and the one before it, as one sees it at that end of the link.

    A host acknowledges every second segment at once (RFC 9293, 3.8.6.3): no delayed ACK is in these. Segments that
    were sent twice, and ACKs for which anything was lost, are left out.
    """
    data: dict[int, list[Crossing]] = defaultdict(list)
    took: list[int] = []
    covered: int | None = None
    for one in sorted((one for one in log if one.sent_ns is not None), key=lambda one: one.at_ns(end)):
        who = one.frame
        if who is None or who.flags & SYN:
            continue
        if who.dport == port and who.payload:
            data[(who.seq + who.payload) % _SEQUENCES].append(one)
        elif who.sport == port and who.ack != covered:
            last = data.get(who.ack, [])
            step = 0 if covered is None else (who.ack - covered) % _SEQUENCES
            if len(last) == 1 and last[0].frame is not None and step >= 2 * last[0].frame.payload > 0:
                took.append(one.at_ns(end) - last[0].at_ns(end))
            covered = who.ack
    return took


def lateness_p99_ns(log: list[Crossing]) -> float | None:
    """How much later than due frames left: the 99th percentile, in ns; None with fewer than two frames."""
    late = [one.sent_ns - one.due_ns for one in log if one.sent_ns is not None and one.due_ns is not None]
    return quantiles(late, n=100)[98] if len(late) > 1 else None
