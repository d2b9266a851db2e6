"""Chance that can be repeated: the same frame of the same conversation meets the same fate, whatever came between.

A draw is made from the seed, the conversation's number among those of its two hosts and its server's port, the
frame's place in it (the sequence number from its first; of a pure ACK what it acknowledges) and how often that frame
has come before. Client ports and first sequence numbers differ from run to run, so they are left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from pcaps.lab.plant.link.frames import SYN, TCP, Identity

_SCALE: Final = float(1 << 32)
_SPACE: Final = 1 << 32


class Draws:
    """Two numbers between 0 and 1 for each frame of one direction; grows with conversations and frames."""

    def __init__(self, seed: int, direction: str) -> None:
        self._start = f"{seed}/{direction}/".encode()
        self._numbers: dict[tuple[str, int, str, int], int] = {}
        self._opened: Counter[tuple[str, str, int]] = Counter()
        self._first: dict[tuple[str, int, str, int], tuple[int, int]] = {}
        self._seen: Counter[tuple[object, ...]] = Counter()

    def draw(self, frame: Identity) -> tuple[float, float]:
        """The frame's two numbers."""
        talk = frame.conversation
        if talk not in self._numbers or (frame.flags & SYN and self._first[talk][0] != frame.seq):
            self._open(frame)
        first_seq, first_ack = self._first[talk]
        if frame.ack and not first_ack:
            first_ack = frame.ack
            self._first[talk] = first_seq, first_ack
        place = (
            *(frame.proto, frame.src, frame.dst, min(frame.sport, frame.dport), self._numbers[talk]),
            # How far the other side has got when data is sent, and what it is pushed with, is timing.
            (frame.seq - first_seq) % _SPACE if frame.occupies else -1,
            (frame.ack - first_ack) % _SPACE if frame.ack and not frame.occupies else -1,
        )
        self._seen[place] += 1
        text = f"{place}/{self._seen[place]}".encode()
        digest = hashlib.blake2b(self._start + text, digest_size=8).digest()
        return (
            int.from_bytes(digest[:4], "big") / _SCALE,
            int.from_bytes(digest[4:], "big") / _SCALE,
        )

    def _open(self, frame: Identity) -> None:
        """A new conversation: its number among those of the same hosts and service."""
        talk = frame.conversation
        pair = frame.src, frame.dst, min(frame.sport, frame.dport)
        self._numbers[talk] = self._opened[pair]
        self._opened[pair] += 1
        self._first[talk] = (frame.seq, frame.ack) if frame.proto == TCP else (0, 0)
