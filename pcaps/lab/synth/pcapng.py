"""Frames in, a pcapng file out: nothing of the machine that wrote it, the same bytes every time.

Format: draft-ietf-opsawg-pcapng; a Section Header, Interface Descriptions, Enhanced Packets, an Interface
Statistics block for each interface. Time stamps count nanoseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LINKTYPE_ETHERNET: Final = 1
_SNAPLEN: Final = 262_144


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame."""

    ts_ns: int
    data: bytes
    #: Number of the interface that captured it.
    interface: int = 0
    #: Frames that its interface says it lost between the one before and this one.
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Interface:
    """What a capture listened to."""

    name: str
    description: str
    #: Frames that it says it lost, at the capture's end; those that its frames tell of are among them.
    dropped: int = 0


def encode(frames: Sequence[Frame], interfaces: Sequence[Interface], *, comment: str) -> bytes:
    """The whole file; `frames` in the order they were captured."""
    out = bytearray()
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    out += _block(0x0A0D0D0A, section + _options((1, comment.encode())))
    for interface in interfaces:
        head = struct.pack("<HHI", LINKTYPE_ETHERNET, 0, _SNAPLEN)
        names = ((2, interface.name.encode()), (3, interface.description.encode()), (9, b"\x09"))
        out += _block(1, head + _options(*names))
    for frame in frames:
        length = len(frame.data)
        head = struct.pack("<I", frame.interface) + _time(frame.ts_ns) + struct.pack("<II", length, length)
        lost = _options((4, struct.pack("<Q", frame.dropped))) if frame.dropped else b""
        out += _block(6, head + _padded(frame.data) + lost)
    first, last = _time(frames[0].ts_ns), _time(frames[-1].ts_ns)
    for number, interface in enumerate(interfaces):
        count = sum(frame.interface == number for frame in frames)
        figures = ((2, first), (3, last), (4, struct.pack("<Q", count)))
        dropped = (5, struct.pack("<Q", interface.dropped))
        out += _block(5, struct.pack("<I", number) + last + _options(*figures, dropped))
    return bytes(out)


def _time(time_ns: int) -> bytes:
    return struct.pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(*options: tuple[int, bytes]) -> bytes:
    encoded = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return encoded + struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
