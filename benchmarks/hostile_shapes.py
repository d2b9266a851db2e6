"""Hostile captures that grow: a size in; frames whose decoding time should grow with their bytes and no faster.

Each shape aims at a table, a search or a buffer whose cost could depend on what is in it already.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.hostile_frames import Stream, datagram, fragment, syn

#: Frames, pieces or messages of a shape at size 1.
UNIT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to grow."""

    name: str
    aims_at: str
    frames: Callable[[int], Iterator[bytes]]


def _adu(transaction: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction & 0xFFFF, 0, len(pdu) + 1, 1) + pdu


_CONNECT: Final = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
_HELLO: Final = b"HELF" + struct.pack("<IIIIIIi", 32, 0, 65_535, 65_535, 0, 0, -1)
_START_DT: Final = b"\x68\x04\x07\x00\x00\x00"
_READ: Final = b"\x03\x00\x00\x00\x02"
_ANSWER: Final = b"\x03\x04\x00\x01\x00\x02"


def _tiny_segments(port: int, message: bytes, first: bytes = b"") -> Callable[[int], Iterator[bytes]]:
    """One message after another, a byte a segment; a first one whole, so that the protocol is known."""

    def frames(size: int) -> Iterator[bytes]:
        stream = Stream(port)
        yield from stream.open()
        if first:
            yield stream.up(first)
        said = message * (size // len(message) + 1)
        for at in range(size):
            yield stream.up(said[at : at + 1])

    return frames


def _every_other_first(size: int) -> Iterator[bytes]:
    """Pieces behind open holes, then the holes from the last to the first."""
    stream = Stream(502)
    yield from stream.open()
    said = b"".join(_adu(n, _READ) for n in range(size))
    pieces = [(at, said[at : at + 12]) for at in range(0, len(said), 12)]
    for at, piece in pieces[1::2] + pieces[0::2][::-1]:
        yield stream.up_at(at, piece)


def _pending(same_id: bool) -> Callable[[int], Iterator[bytes]]:
    """Requests that nobody answers, then all answers from the last to the first."""

    def frames(size: int) -> Iterator[bytes]:
        stream = Stream(502)
        yield from stream.open()
        for number in range(size // 2):
            yield stream.up(_adu(7 if same_id else number, _READ))
        for number in reversed(range(size // 2)):
            yield stream.down(_adu(7 if same_id else number, _ANSWER))

    return frames


def _full_segments(
    port: int, fill: Callable[[random.Random, int], bytes], first: bytes = b""
) -> Callable[[int], Iterator[bytes]]:
    """A stream of full segments with bytes of one kind, behind an honest first message."""

    def frames(size: int) -> Iterator[bytes]:
        chance = random.Random(size)  # noqa: S311 (noise, no secret)
        stream = Stream(port)
        yield from stream.open()
        if first:
            yield stream.up(first)
        for _ in range(size // 4):
            yield stream.up(fill(chance, 1400))

    return frames


def _behind_gaps(port: int, message: bytes, first: bytes = b"") -> Callable[[int], Iterator[bytes]]:
    """Every second segment is lost, and acknowledged: a search for the next message after each."""

    def frames(size: int) -> Iterator[bytes]:
        stream = Stream(port)
        yield from stream.open()
        if first:
            yield stream.up(first)
        said = (message * (1400 // len(message) + 2))[len(message) // 2 :][:1400]
        for _ in range(size // 8):
            stream.lost(1400)
            yield stream.up(said)
            yield stream.down(b"")

    return frames


def _repeated(size: int) -> Iterator[bytes]:
    """The same range again and again, a little further each time."""
    stream = Stream(502)
    yield from stream.open()
    said = b"".join(_adu(n, _READ) for n in range(size))
    for at in range(0, size * 4, 4):
        yield stream.up_at(max(0, at - 400), said[max(0, at - 400) : at + 4])


def _open_chunks(size: int) -> Iterator[bytes]:
    """OPC UA messages of which the last chunk never comes (OPC 10000-6, 6.7.2)."""
    stream = Stream(4840)
    yield from stream.open()
    yield stream.up(_HELLO)
    for number in range(size):
        body = struct.pack("<IIII", 1, 1, number + 1, number % 50 + 1) + b"\0" * 40
        yield stream.up(b"MSGC" + struct.pack("<I", 8 + len(body)) + body)


def _nested(size: int) -> Iterator[bytes]:
    """OPC UA requests whose bodies nest as deep as they may: variants of arrays of variants (OPC 10000-6, 5.2.2.16)."""
    stream = Stream(4840)
    yield from stream.open()
    yield stream.up(_HELLO)
    for number in range(size // 4):
        nest = (b"\x98" + struct.pack("<i", 1)) * 200
        body = struct.pack("<IIII", 1, 1, number + 1, number + 1) + b"\x01\x00\xa1\x02" + nest
        yield stream.up(b"MSGF" + struct.pack("<I", 8 + len(body)) + body)


def _deliveries(size: int) -> Iterator[bytes]:
    """MQTT deliveries of QoS 2 that nobody answers, every packet identifier in use."""
    stream = Stream(1883)
    yield from stream.open()
    yield stream.up(_CONNECT)
    for number in range(size):
        yield stream.up(b"\x34\x07\x00\x01t" + struct.pack(">H", number % 65_535 + 1) + b"xx")


def _topics(size: int) -> Iterator[bytes]:
    """MQTT publications, each under a topic of its own, with user properties."""
    stream = Stream(1883)
    yield from stream.open()
    yield stream.up(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a")
    for number in range(size):
        topic = b"plant/%08d/speed" % number
        properties = b"\x26\x00\x01k\x00\x01v" * 5
        left = struct.pack(">H", len(topic)) + topic + bytes([len(properties)]) + properties + b"1"
        yield stream.up(b"\x30" + bytes([len(left)]) + left)


def _fragments(size: int) -> Iterator[bytes]:
    """Datagrams of which the last fragment never comes, and fragments that overlap."""
    for number in range(size // 4):
        for at in (2, 1, 0):
            yield fragment(number % 65_536, at * 16, b"\0" * 128 + bytes([number & 255]) * 8, more=True)
        yield fragment(number % 65_536, 4, b"\1" * 136, more=True)


def _flood(size: int) -> Iterator[bytes]:
    """One SYN a flow."""
    for number in range(size):
        yield syn(number)


def _names(size: int) -> Iterator[bytes]:
    """DNS answers whose names point at names that point at names (RFC 1035, 4.1.4)."""
    names = b"\1a\0" + b"".join(
        struct.pack(">H", 0xC000 | 12 + 3 * (n > 0) + 2 * max(0, n - 1)) for n in range(60)
    )
    for number in range(size):
        records = b"".join(
            struct.pack(">HHHIH", 0xC00C + 2 * n, 1, 1, 60, 4) + b"\1\2\3\4" for n in range(40)
        )
        yield datagram(53, struct.pack(">HHHHHH", number & 0xFFFF, 0x8180, 1, 40, 0, 0) + names + records)


def _noise(chance: random.Random, size: int) -> bytes:
    return chance.randbytes(size)


def _of(message: bytes) -> Callable[[random.Random, int], bytes]:
    return lambda _, size: (message * (size // len(message) + 1))[:size]


_CLIENT_HELLO_START: Final = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"r" * 32 + b"\0"

SHAPES: Final = (
    Shape("modbus, a byte a segment", "framing", _tiny_segments(502, _adu(1, _READ))),
    Shape("mqtt, a byte a segment", "framing", _tiny_segments(1883, b"\x30\x07\x00\x03abcxx", _CONNECT)),
    Shape(
        "opcua, a byte a segment",
        "framing",
        _tiny_segments(4840, b"MSGF\x20\0\0\0" + b"\1\0\0\0" * 6, _HELLO),
    ),
    Shape(
        "http, a byte a segment",
        "search for a header's end",
        _tiny_segments(80, b"GET / HTTP/1.1\r\nA: b\r\n"),
    ),
    Shape("tls, a byte a segment", "reassembly of a hello", _tiny_segments(443, _CLIENT_HELLO_START)),
    Shape("unknown port, a byte a segment", "recognition", _tiny_segments(5020, _adu(1, _READ))),
    Shape("every other piece first", "pieces behind holes", _every_other_first),
    Shape("the same range again and again", "overlaps", _repeated),
    Shape("requests that wait, ids of their own", "pending requests", _pending(same_id=False)),
    Shape("requests that wait, one id", "pending requests of one key", _pending(same_id=True)),
    Shape("noise on 502", "resynchronisation", _full_segments(502, _noise, _adu(1, _READ))),
    Shape(
        "almost headers on 502",
        "resynchronisation",
        _full_segments(502, _of(b"\0\1\0\0\0\x06\1"), _adu(1, _READ)),
    ),
    Shape("noise on 1883", "resynchronisation", _full_segments(1883, _noise, _CONNECT)),
    Shape("noise on 4840", "resynchronisation", _full_segments(4840, _noise, _HELLO)),
    Shape("zeros on 102", "resynchronisation", _full_segments(102, _of(b"\0"))),
    Shape("packets of two bytes on 1883", "rows", _full_segments(1883, _of(b"\xc0\0"), _CONNECT)),
    Shape("S frames on 2404", "framing", _full_segments(2404, _of(b"\x68\4\1\0\0\0"), _START_DT)),
    Shape("modbus behind gaps", "search behind a gap", _behind_gaps(502, _adu(1, _READ))),
    Shape("mqtt behind gaps", "search behind a gap", _behind_gaps(1883, b"\x30\x07\x00\x03abcxx", _CONNECT)),
    Shape(
        "opcua behind gaps",
        "search behind a gap",
        _behind_gaps(4840, b"MSGF\x20\0\0\0" + b"\1\0\0\0" * 6, _HELLO),
    ),
    Shape("chunks without an end", "chunk reassembly", _open_chunks),
    Shape("bodies that nest", "recursion", _nested),
    Shape("deliveries that wait", "pending deliveries", _deliveries),
    Shape("a topic each", "texts", _topics),
    Shape("fragments without an end", "fragment reassembly", _fragments),
    Shape("a flow each", "flow table", _flood),
    Shape("names that point at names", "name compression", _names),
)
