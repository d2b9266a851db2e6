"""The emulator's own record in; every round trip that one sees at an end of the link, of whatever conversation, out.

What the product calls a round trip (decision 0008), found from the link's log instead of a capture: the two are of the
same exchanges, so that a machine that keeps some of the hosts waiting moves both alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pcaps.lab.plant.link.frames import ACK, SYN, TCP, Identity
from pcaps.lab.plant.link.truth import Crossing

#: Sender and receiver with their ports, as the client's frames have them.
Conversation = tuple[str, int, str, int]

#: Payload of a full Ethernet frame with TCP timestamps.
_FULL: Final = 1448
#: As many segments of a side as the product follows at a time; more on their way lose their times, oldest first.
_FOLLOWED: Final = 16
_SEQUENCES: Final = 1 << 32


@dataclass(slots=True)
class Trips:
    """One conversation's times as seen at an end of the link, in ns."""

    #: Whole round trips: both halves together.
    round_ns: list[int] = field(default_factory=list)
    #: From the end of the link to the server and back.
    server_ns: list[int] = field(default_factory=list)


def round_trips(log: Iterable[Crossing], end: str) -> dict[Conversation, Trips]:
    """The times of every TCP conversation whose beginning was seen at the end that frames to `end` leave at."""
    talks: dict[Conversation, _Talk] = {}
    for at_ns, who in _seen(log, end):
        client, server = who.conversation, (who.dst, who.dport, who.src, who.sport)
        if who.flags & SYN and not who.flags & ACK:
            talks.setdefault(client, _Talk()).syn_ns.append(at_ns)
        elif client in talks:
            talks[client].says(0, at_ns, who)
        elif server in talks:
            talks[server].says(1, at_ns, who)
    return {conversation: talk.trips for conversation, talk in talks.items()}


def _seen(log: Iterable[Crossing], end: str) -> list[tuple[int, Identity]]:
    """Frames as one sees them at that end: what comes to the link there even if the link then drops it."""
    frames = []
    for one in log:
        at_ns = one.sent_ns if one.way == end else one.received_ns
        if at_ns is not None and one.frame is not None and one.frame.proto == TCP:
            frames.append((at_ns, one.frame))
    return sorted(frames, key=lambda seen: seen[0])


class _Talk:
    """A conversation; side 0 is the client's, 1 the server's."""

    def __init__(self) -> None:
        self.trips = Trips()
        self.syn_ns: list[int] = []
        self._syn_ack_ns: list[int] = []
        self._opened = False
        #: Segments of each side that wait for their ACK: first and next sequence number, and when.
        self._waiting: tuple[list[tuple[int, int, int]], ...] = ([], [])
        self._sent: tuple[set[int], ...] = (set(), set())
        #: The latest half that no delayed ACK is in, by the side that acknowledged.
        self._half_ns: list[int | None] = [None, None]

    def says(self, side: int, at_ns: int, who: Identity) -> None:
        """A frame of a side, but for the client's SYN."""
        if who.flags & SYN:
            self._syn_ack_ns.append(at_ns)
            if len(self.syn_ns) == len(self._syn_ack_ns) == 1:
                self.trips.server_ns.append(at_ns - self.syn_ns[0])
            return
        if side == 0 and not self._opened:
            self._opened = True
            self._open(at_ns, who)
        elif who.flags & ACK:
            self._acknowledge(side, at_ns, who)
        if who.payload:
            self._send(side, at_ns, who)

    def _open(self, at_ns: int, who: Identity) -> None:
        """The handshake's last segment: data that is one came when the client had something to say."""
        if who.payload == 0 and len(self.syn_ns) == len(self._syn_ack_ns) == 1:
            self.trips.round_ns.append(at_ns - self.syn_ns[0])
            self._half_ns[0] = at_ns - self._syn_ack_ns[0]

    def _send(self, side: int, at_ns: int, who: Identity) -> None:
        waiting, sent = self._waiting[side], self._sent[side]
        if who.seq in sent:
            waiting.clear()  # nothing tells which copy an ACK answers (Karn and Partridge 1987)
            return
        sent.add(who.seq)
        waiting.append((who.seq, (who.seq + who.payload) % _SEQUENCES, at_ns))
        del waiting[:-_FOLLOWED]

    def _acknowledge(self, side: int, at_ns: int, who: Identity) -> None:
        waiting = self._waiting[1 - side]
        covered = [one for one in waiting if (who.ack - one[1]) % _SEQUENCES < _SEQUENCES // 2]
        if not covered:
            return
        del waiting[: len(covered)]
        if who.payload:
            return
        half_ns = at_ns - covered[-1][2]
        if side == 1:
            self.trips.server_ns.append(half_ns)
        if (covered[-1][1] - covered[0][0]) % _SEQUENCES < 2 * _FULL:
            return
        self._half_ns[side] = half_ns
        other_ns = self._half_ns[1 - side]
        if other_ns is not None:
            self.trips.round_ns.append(half_ns + other_ns)
