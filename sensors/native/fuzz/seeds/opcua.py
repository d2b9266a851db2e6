"""Target `opcua`: every service that is read, asked and answered; and recorded connections."""

from __future__ import annotations

from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw

from sensors.native.fuzz.seeds.captures import runs

#: Ports of OPC UA in the captures.
_PORTS = frozenset({4840, 48010})

#: Bytes of one input that libFuzzer is told to take (.ci/fuzz), and what the length byte can say.
_LARGEST, _LONGEST = 4_096, 255

#: What a body is made of, as src/opcua/body.rs has it: a count, a node, a value, a structure's fields, a text.
_PIECES = (
    b"\xfe\x01\xfd\xfc\x2a\xff",
    b"\xfe\x02\xfd\xf8\xfd\xf8\xff\xff",
    b"\xf9\xfe\x01\xfa\x05Pump1\xff\xf7",
    b"\xfe\x01\xfb\x03\xfd\xfc\x01\xff\xff",
)

#: The places of services in the target's list.
_SERVICES = range(32)

#: Actions: a message in one chunk, in several, one of which a part is lost.
_WHOLE, _CHUNKED, _BROKEN = 2, 4, 10

#: A channel that encrypts, one that the server opened, one on another port; over WebSocket, and without its upgrade.
_OPTIONS = (0, 16, 8, 1, 64, 192, 65)


def made() -> list[bytes]:
    """Options; then for each action what it is and who sends it (1: the server), its length, its bytes."""
    seeds = []
    for service in _SERVICES:
        pieces = _PIECES[service % len(_PIECES)]
        said = bytes([service]) + pieces
        seed = b"".join(
            _action(action, said) for action in (_WHOLE, _WHOLE | 1, _CHUNKED, _CHUNKED | 1, _BROKEN)
        )
        seeds.append(bytes([_OPTIONS[service % len(_OPTIONS)]]) + seed)
    return seeds


def recorded(packets: list[Packet]) -> list[bytes]:
    """Seeds of a capture: runs of segments with payload to or from a port of OPC UA."""
    segments = [
        packet
        for packet in packets
        if TCP in packet and Raw in packet and not _PORTS.isdisjoint((packet[TCP].sport, packet[TCP].dport))
    ]
    return [_segments(run) for run in runs(segments)]


def _segments(packets: list[Packet]) -> bytes:
    """Options 4 (the capture opens its connection itself); then raw segments: side, length, bytes."""
    seed = bytearray([4])
    for packet in packets:
        payload = bytes(packet[TCP].payload)
        side = int(packet[TCP].sport in _PORTS)
        for at in range(0, len(payload), _LONGEST):
            piece = payload[at : at + _LONGEST]
            if len(seed) + 2 + len(piece) > _LARGEST:
                return bytes(seed)
            seed += bytes([side, len(piece)]) + piece
    return bytes(seed)


def _action(action: int, said: bytes) -> bytes:
    return bytes([action, len(said)]) + said
