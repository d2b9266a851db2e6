"""Targets `modbus` and `tcp`, which read the same form: recorded segments of Modbus."""

from __future__ import annotations

from typing import Final

from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw

from sensors.native.fuzz.seeds.captures import runs

_PORT: Final = 502

#: What the length byte can say.
_LONGEST: Final = 255


def recorded(packets: list[Packet]) -> list[bytes]:
    """Seeds of a capture: one byte of options; then for each segment who sends it (1: the server), length, bytes."""
    segments = [
        packet
        for packet in packets
        if TCP in packet and Raw in packet and _PORT in (packet[TCP].sport, packet[TCP].dport)
    ]
    return [bytes([0]) + b"".join(_segment(packet[TCP]) for packet in run) for run in runs(segments)]


def _segment(segment: Packet) -> bytes:
    payload = bytes(segment.payload)[:_LONGEST]
    return bytes([int(segment.sport == _PORT), len(payload)]) + payload
