"""What Wireshark says of each frame, in a few bytes a frame: why two decoders differ is asked later."""

from __future__ import annotations

from array import array
from enum import IntFlag
from typing import Final


class Fact(IntFlag):
    """What is known of a frame."""

    SYN = 1
    FIN = 2
    RST = 4
    #: It carries TCP payload.
    DATA = 8
    RETRANSMISSION = 16
    OUT_OF_ORDER = 32
    #: Bytes before it were never seen.
    LOST_BEFORE = 64
    #: It acknowledges what was never seen.
    ACK_OF_UNSEEN = 128
    KEEP_ALIVE = 256
    #: The same packet again: same IP id, sequence number and length, milliseconds later.
    COPY = 512
    #: A retransmission of what was acknowledged already.
    SPURIOUS = 1024
    MALFORMED = 2048
    FRAGMENT = 4096
    ACK = 8192


#: What makes a round-trip sample doubtful.
TROUBLE: Final = Fact.RETRANSMISSION | Fact.OUT_OF_ORDER | Fact.LOST_BEFORE | Fact.ACK_OF_UNSEEN


class FrameFacts:
    """Facts, ports and stream of every frame: 10 bytes each."""

    def __init__(self) -> None:
        self._facts = array("H", [0])
        self._source_ports = array("H", [0])
        self._target_ports = array("H", [0])
        self._streams = array("I", [0])

    def __len__(self) -> int:
        """Frames known."""
        return len(self._facts) - 1

    def add(self, frame: int, facts: Fact, source_port: int, target_port: int, stream: int) -> None:
        """Note the next frame; `stream` is Wireshark's number from 1, 0 where there is none."""
        while len(self._facts) < frame:
            self._append(Fact(0), 0, 0, 0)
        self._append(facts, source_port, target_port, stream)

    def _append(self, facts: Fact, source_port: int, target_port: int, stream: int) -> None:
        self._facts.append(facts)
        self._source_ports.append(source_port)
        self._target_ports.append(target_port)
        self._streams.append(stream)

    def of(self, frame: int) -> Fact:
        """What is known of a frame."""
        return Fact(self._facts[frame]) if 0 < frame < len(self._facts) else Fact(0)

    def ports(self, frame: int) -> tuple[int, int]:
        """Source and target port, 0 where there are none."""
        if not 0 < frame < len(self._facts):
            return (0, 0)
        return self._source_ports[frame], self._target_ports[frame]

    def stream(self, frame: int) -> int:
        """Wireshark's number of the TCP stream, from 1; 0 where there is none."""
        return self._streams[frame] if 0 < frame < len(self._facts) else 0

    def trouble(self, stream: int, first: int, last: int) -> Fact:
        """What happened in a stream from one frame to another, both included."""
        happened = Fact(0)
        for frame in range(max(first, 1), min(last + 1, len(self._facts))):
            if self._streams[frame] == stream:
                happened |= Fact(self._facts[frame])
        return happened
