"""What two ends said in; frames that carry it out, in whatever segments, order and number the test wants."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.support.byte_streams import Connection
from tests.support.pcap_bytes import ACK, FIN, PSH, START_S, SYN, tcp_frame

#: (from the client, the bytes): who said what, in turn.
Turn = tuple[bool, bytes]

_CLIENT = "10.1.0.5"
_SERVER = "10.1.0.9"


@dataclass(frozen=True, slots=True)
class Sent:
    """One segment of a turn."""

    from_client: bool
    start: int
    payload: bytes


@dataclass(slots=True)
class Talk:
    """A connection that is written frame by frame: handshake, turns, end."""

    server_port: int
    client_port: int = 40_000
    frames: list[bytes] = field(default_factory=list)
    _next: list[int] = field(default_factory=lambda: [5_000_001, 1_000_001])

    def open(self) -> None:
        """The handshake."""
        self._frame(True, 1_000_000, 0, SYN)
        self._frame(False, 5_000_000, 1_000_001, SYN | ACK)
        self._frame(True, 1_000_001, 5_000_001, ACK)

    def say(self, segments: Sequence[Sent]) -> None:
        """Segments of one turn, in the order in which they are seen; all of it is acknowledged afterwards."""
        if not segments:
            return
        from_client = segments[0].from_client
        base, other = self._next[from_client], self._next[not from_client]
        for one in segments:
            self._frame(from_client, base + one.start, other, ACK | PSH, one.payload)
        self._next[from_client] = base + max(one.start + len(one.payload) for one in segments)
        self._frame(not from_client, other, self._next[from_client], ACK)

    def close(self) -> None:
        """An orderly end."""
        server, client = self._next
        self._frame(True, client, server, ACK | FIN)
        self._frame(False, server, client + 1, ACK | FIN)
        self._frame(True, client + 1, server + 1, ACK)

    def _frame(self, from_client: bool, sequence: int, ack: int, flags: int, payload: bytes = b"") -> None:
        source, target = (_CLIENT, _SERVER) if from_client else (_SERVER, _CLIENT)
        ports = (self.client_port, self.server_port)
        sport, dport = ports if from_client else ports[::-1]
        self.frames.append(
            tcp_frame(
                source,
                target,
                sport,
                dport,
                seq=sequence % 2**32,
                ack=ack % 2**32,
                flags=flags,
                payload=payload,
                ip_id=len(self.frames) % 65_535 + 1,
            )
        )


def cut(turn: Turn, sizes: Iterator[int]) -> list[Sent]:
    """A turn in segments of these sizes."""
    from_client, said = turn
    segments, at = [], 0
    while at < len(said):
        size = next(sizes)
        segments.append(Sent(from_client, at, said[at : at + size]))
        at += size
    return segments


def talk(
    turns: Sequence[Turn],
    server_port: int,
    segments: Callable[[Turn], Sequence[Sent]] = lambda turn: [Sent(turn[0], 0, turn[1])],
) -> list[bytes]:
    """A whole connection; `segments` says how each turn is carried."""
    one = Talk(server_port)
    one.open()
    for turn in turns:
        one.say(segments(turn))
    one.close()
    return one.frames


def turns(connection: Connection, client: tuple[bytes, int]) -> list[Turn]:
    """What the two ends of a real connection said in turn: bytes in order, each once."""
    ordered = sorted(
        (one.frame, place, end == client, one.payload)
        for end, side in connection.sides.items()
        for place, one in side.segments
    )
    reached = {True: 0, False: 0}
    said: list[Turn] = []
    for _, place, from_client, payload in ordered:
        new = payload[max(0, reached[from_client] - place) :]
        if place > reached[from_client] or not new:
            continue
        reached[from_client] += len(new)
        if said and said[-1][0] == from_client:
            said[-1] = (from_client, said[-1][1] + new)
        else:
            said.append((from_client, new))
    return said


def nanosecond_pcap(frames: Sequence[bytes], *, step_ns: int = 100_000) -> bytes:
    """A pcap of these frames, a tenth of a millisecond apart: as close as real segments of a turn."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)]
    for number, frame in enumerate(frames):
        seconds, ns = divmod(number * step_ns, 10**9)
        out.append(struct.pack("<IIII", START_S + seconds, ns, len(frame), len(frame)) + frame)
    return b"".join(out)
