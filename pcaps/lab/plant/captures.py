"""Captures of the lab read again, frame by frame: an account of their own, without the product's decoder."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pcaps.lab.plant.link.frames import SYN, TCP, Identity, identify
from pcaps.lab.synth.pcapng import Frame

_PACKET: Final = 6
_HEAD: Final = struct.Struct("<IIIII")


def frames(capture: Path) -> Iterator[Identity]:
    """The IPv4 packets of a capture that the lab wrote."""
    for _, who in identified(capture):
        yield who


def identified(capture: Path) -> Iterator[tuple[int, Identity]]:
    """The same, each with its time in ns since the epoch."""
    for at_ns, data in _frames(capture):
        if (who := identify(data)) is not None:
            yield at_ns, who


def times_ns(capture: Path) -> list[int]:
    """When each frame came, in ns since the epoch."""
    return [at_ns for at_ns, _ in _frames(capture)]


def _frames(capture: Path) -> Iterator[tuple[int, bytes]]:
    data = capture.read_bytes()
    offset = 0
    while offset < len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        if kind == _PACKET:
            _, high, low, captured, _ = _HEAD.unpack_from(data, offset + 8)
            start = offset + 8 + _HEAD.size
            yield high << 32 | low, data[start : start + captured]
        offset += length


def stamped(capture: Path) -> list[Frame]:
    """Every frame of a capture, with its time."""
    return [Frame(at_ns, data) for at_ns, data in _frames(capture)]


def copies(double: Path, single: Path) -> tuple[int, int]:
    """How many packets a badly set mirror port shows more often than a well set one, at the same time.

    The second figure is how many of them nothing tells from a repetition: without payload, no SYN, and with an IP
    identification of 0, a copy of a pure acknowledgement looks like the same said twice.
    """
    more = Counter(frames(double)) - Counter(frames(single))
    alike = sum(
        count
        for who, count in more.items()
        if who.proto == TCP and not who.ip_id and not who.payload and not who.flags & SYN
    )
    return more.total(), alike
