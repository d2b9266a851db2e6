"""Frames in; a pcapng file out, with comments: the same frames and comments give the same bytes.

Little-endian, nanoseconds, an interface a link type (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3).
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from sensors.raw_frames import Frame

_COMMENT, _APPLICATION, _RESOLUTION = 1, 4, 9
_OPTION_BYTES: Final = 65_535


class PcapngFile:
    """Writes a section header at once, interfaces as their link types come, and frames in the order given."""

    def __init__(self, out: BinaryIO, application: str, comment: str) -> None:
        self._out = out
        self._interfaces: dict[int, int] = {}
        options = _option(_COMMENT, comment.encode()) + _option(_APPLICATION, application.encode())
        self._block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options + bytes(4))

    def add(self, frame: Frame, comment: str = "") -> None:
        """Add one frame; one without a time is given the epoch."""
        if frame.link_type not in self._interfaces:
            self._interfaces[frame.link_type] = len(self._interfaces)
            self._block(
                1, struct.pack("<HHI", frame.link_type, 0, 0) + _option(_RESOLUTION, b"\x09") + bytes(4)
            )
        at = frame.ts_ns or 0
        head = struct.pack(
            "<IIIII",
            self._interfaces[frame.link_type],
            at >> 32 & 0xFFFF_FFFF,
            at & 0xFFFF_FFFF,
            len(frame.data),
            frame.wire_bytes,
        )
        options = _option(_COMMENT, comment.encode()) + bytes(4) if comment else b""
        self._block(6, head + _padded(frame.data) + options)

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._out.write(struct.pack("<I", kind) + length + body + length)


def _option(code: int, value: bytes) -> bytes:
    kept = value[:_OPTION_BYTES].decode("utf-8", "ignore").encode() if len(value) > _OPTION_BYTES else value
    return struct.pack("<HH", code, len(kept)) + _padded(kept)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
