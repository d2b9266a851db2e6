"""Frames in, a pcapng file out: nothing of the machine that wrote it, the same bytes every time.

Format: draft-ietf-opsawg-pcapng; a Section Header, one Interface Description, Enhanced Packets, one Interface
Statistics block. Time stamps count nanoseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LINKTYPE_ETHERNET: Final = 1
_SNAPLEN: Final = 262_144


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame."""

    ts_ns: int
    data: bytes


def encode(frames: Iterable[Frame], *, interface: str, description: str, comment: str) -> bytes:
    """The whole file; `frames` in the order they were captured."""
    out = bytearray()
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    out += _block(0x0A0D0D0A, section + _options((1, comment.encode())))
    interface_body = struct.pack("<HHI", LINKTYPE_ETHERNET, 0, _SNAPLEN)
    out += _block(
        1, interface_body + _options((2, interface.encode()), (3, description.encode()), (9, b"\x09"))
    )
    count = first = last = 0
    for frame in frames:
        head = struct.pack(
            "<IIIII", 0, frame.ts_ns >> 32, frame.ts_ns & 0xFFFFFFFF, len(frame.data), len(frame.data)
        )
        out += _block(6, head + _padded(frame.data))
        first = first or frame.ts_ns
        last = frame.ts_ns
        count += 1
    statistics = struct.pack("<III", 0, last >> 32, last & 0xFFFFFFFF)
    out += _block(
        5,
        statistics
        + _options(
            (2, struct.pack("<II", first >> 32, first & 0xFFFFFFFF)),
            (3, struct.pack("<II", last >> 32, last & 0xFFFFFFFF)),
            (4, struct.pack("<Q", count)),
            (5, struct.pack("<Q", 0)),
        ),
    )
    return bytes(out)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(*options: tuple[int, bytes]) -> bytes:
    encoded = b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return encoded + struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
