"""Target `frames`: frames as they were recorded."""

from __future__ import annotations

from typing import Final

from scapy.packet import Packet

from sensors.native.fuzz.seeds.captures import runs

#: Ethernet's place among the link types of the target.
_ETHERNET: Final = 1

#: What the length byte can say.
_LONGEST: Final = 255


def recorded(packets: list[Packet]) -> list[bytes]:
    """Seeds of a capture: link type, cut bytes, milliseconds since the last (times the cut), length; then the bytes."""
    return [b"".join(_frame(bytes(packet)) for packet in run) for run in runs(packets)]


def _frame(frame: bytes) -> bytes:
    cut = min(max(len(frame) - _LONGEST, 0), 255)
    return bytes([_ETHERNET, cut, 1, min(len(frame), _LONGEST)]) + frame[:_LONGEST]
