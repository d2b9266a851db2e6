"""Captures that make the decoder keep as much as a limit lets it: one hoard for every limit of some weight."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.hostile_frames import Stream, arp, datagram, fragment, syn

#: Payload of a full segment.
_SEGMENT: Final = 1_400
_MODBUS_READ: Final = b"\x03\x00\x00\x00\x02"
_HELLO: Final = b"HELF" + struct.pack("<IIIIIIi", 32, 0, 65_535, 65_535, 0, 0, -1)
#: A secure channel without security (OPC 10000-6, 6.7.2): asked for, and opened.
_POLICY: Final = b"http://opcfoundation.org/UA/SecurityPolicy#None"


def _opening(channel: int, body: bytes) -> bytes:
    head = struct.pack("<II", channel, len(_POLICY)) + _POLICY + struct.pack("<iiII", -1, -1, 1, 1)
    return b"OPNF" + struct.pack("<I", 8 + len(head) + len(body)) + head + body


_OPEN_UP: Final = _opening(
    0,
    b"\x01\x00\xbe\x01\x00\x00"
    + struct.pack("<QIIiI", 0, 1, 0, -1, 0)
    + b"\x00\x00\x00"
    + struct.pack("<IIIiI", 0, 0, 1, -1, 3_600_000),
)
_OPEN_DOWN: Final = _opening(
    1,
    b"\x01\x00\xc1\x01"
    + struct.pack("<QIIBi", 0, 1, 0, 0, -1)
    + b"\x00\x00\x00"
    + struct.pack("<IIIQIi", 0, 1, 1, 0, 3_600_000, -1),
)
#: A connection request of ISO transport (RFC 1006) and its confirmation.
_ISO_UP: Final = bytes.fromhex("0300001611e00000000100c0010ac1020100c2020102")
_ISO_DOWN: Final = bytes.fromhex("0300001611d00001000200c0010ac1020100c2020102")


@dataclass(frozen=True, slots=True)
class Hoard:
    """What makes the decoder keep something, and the limit that bounds it."""

    limit: str
    frames: Callable[[], Iterator[bytes]]


def _streams(port: int, count: int, first_client: int = 1_024) -> Iterator[Stream]:
    """Connections to one port, each of a client port of its own."""
    return (Stream(port, first_client + number) for number in range(count))


def _in_segments(stream: Stream, said: bytes) -> Iterator[bytes]:
    return (stream.up(said[at : at + _SEGMENT]) for at in range(0, len(said), _SEGMENT))


def _flows() -> Iterator[bytes]:
    """More connection attempts than the flow table has places."""
    return (syn(number) for number in range(200_000))


def _behind_holes() -> Iterator[bytes]:
    """A hole at the start of each stream, and a quarter of a megabyte behind it."""
    for stream in _streams(502, 320):
        yield from stream.open()
        yield stream.up(struct.pack(">HHHB", 1, 0, 6, 1) + _MODBUS_READ)
        # Fewer pieces than a side may have, and long ones.
        for number in range(120):
            yield stream.up_at(100 + number * 2_100, bytes(2_100))


def _fragments() -> Iterator[bytes]:
    """Packets of 32 KiB whose first fragment never comes."""
    for ip_id in range(900):
        for number in range(1, 23):
            yield fragment(ip_id, number * 185, bytes(1_480), more=True)


def _requests() -> Iterator[bytes]:
    """Modbus requests that nobody answers, on as many streams as share the room."""
    for stream in _streams(502, 1_300, 2_048):
        yield from stream.open()
        requests = b"".join(struct.pack(">HHHB", number, 0, 6, 1) + _MODBUS_READ for number in range(1_024))
        yield from _in_segments(stream, requests)


def _chunks() -> Iterator[bytes]:
    """OPC UA messages of many chunks whose last never comes (OPC 10000-6, 6.7.2)."""
    for stream in _streams(4_840, 30):
        yield from stream.open()
        yield stream.up(_HELLO)
        yield stream.up(_OPEN_UP)
        yield stream.down(_OPEN_DOWN)
        sequence = 1
        for request in range(1, 8):
            for chunk in range(8):
                sequence += 1
                said = b"\x01\x00\x77\x02" + bytes(30_000) if chunk == 0 else bytes(30_004)
                body = struct.pack("<IIII", 1, 1, sequence, request) + said
                yield from _in_segments(stream, b"MSGC" + struct.pack("<I", 8 + len(body)) + body)


def _connect(number: int) -> bytes:
    name = b"%06d" % number
    return (
        b"\x10"
        + bytes([12 + len(name)])
        + b"\x00\x04MQTT\x04\x02\x00\x3c"
        + struct.pack(">H", len(name))
        + name
    )


def _remaining(length: int) -> bytes:
    """A length as MQTT writes it (MQTT 5.0, 1.5.5)."""
    said = b""
    while True:
        length, low = divmod(length, 128)
        said += bytes([low | (0x80 if length else 0)])
        if not length:
            return said


def _packets() -> Iterator[bytes]:
    """MQTT publications of 64 KiB whose last bytes never come."""
    for number, stream in enumerate(_streams(1_883, 700)):
        yield from stream.open()
        yield stream.up(_connect(number))
        # The topic of a Sparkplug message: its payload is kept to be read.
        said = b"\x30" + _remaining(65_000) + b"\x00\x10spBv1.0/g/NBIRTH" + bytes(64_900)
        yield from _in_segments(stream, said)


def _births() -> Iterator[bytes]:
    """Sparkplug births with long names behind aliases (Sparkplug 3.0, 6.4.8)."""
    for number, stream in enumerate(_streams(1_883, 900, 20_000)):
        yield from stream.open()
        yield stream.up(_connect(100_000 + number))
        metrics = b""
        for alias in range(300):
            name = (b"%06d/%04d/" % (number, alias)).ljust(150, b"n")
            metric = (
                b"\x0a" + _remaining(len(name)) + name + b"\x10" + _remaining(alias + 1) + b"\x20\x03\x50\x01"
            )
            metrics += b"\x12" + _remaining(len(metric)) + metric
        topic = b"spBv1.0/g/NBIRTH/e%06d" % number
        left = struct.pack(">H", len(topic)) + topic + b"\x08\x01" + metrics + b"\x18\x00"
        yield from _in_segments(stream, b"\x30" + _remaining(len(left)) + left)


def _operations() -> Iterator[bytes]:
    """Messages of S7comm of which the end never comes."""
    for stream in _streams(102, 12_000):
        yield from stream.open()
        yield stream.up(_ISO_UP)
        yield stream.down(_ISO_DOWN)
        said = struct.pack(">BBH", 3, 0, 8_000) + b"\x02\xf0\x80\x32\x01" + bytes(4_200)
        yield from _in_segments(stream, said)


def _introductions() -> Iterator[bytes]:
    """Greetings of TLS that go on and on (RFC 8446, 4.1.2)."""
    for stream in _streams(443, 4_000):
        yield from stream.open()
        body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x3f\xfe" + bytes(15_900)
        hello = b"\x01" + struct.pack(">I", 60_000)[1:] + body
        yield from _in_segments(stream, b"\x16\x03\x01" + struct.pack(">H", 16_000) + hello)


def _told() -> Iterator[bytes]:
    """Names that hosts give themselves, each another one (RFC 1035)."""
    for number in range(400_000):
        name = b"%08d-controller-with-a-long-name" % number
        label = bytes([len(name)]) + name + b"\x05local\x00"
        answer = label + struct.pack(">HHIH", 1, 0x8001, 120, 4) + struct.pack(">I", 0x0A0A0000 + number)
        yield datagram(5_353, struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + answer)


def _neighbours() -> Iterator[bytes]:
    """Addresses that say where they are, more of them than are remembered (RFC 826)."""
    return (arp(number) for number in range(100_000))


HOARDS: Final = (
    Hoard("flow_limit", _flows),
    Hoard("reassembly_bytes", _behind_holes),
    Hoard("fragment_bytes", _fragments),
    Hoard("pending_limit_all", _requests),
    Hoard("opcua_bytes", _chunks),
    Hoard("mqtt_held_bytes", _packets),
    Hoard("sparkplug_bytes", _births),
    Hoard("operation_bytes", _operations),
    Hoard("introduction_bytes", _introductions),
    Hoard("observations", _told),
    Hoard("neighbours", _neighbours),
)
