"""A capture in; its frames as they were recorded, each with number, time and link type, out. Nothing is decoded.

pcap of both byte orders and resolutions (draft-ietf-opsawg-pcap), pcapng with enhanced, simple and obsolete packet
blocks (draft-ietf-opsawg-pcapng), gzip and zstd of either. What cuts evidence must give back the very bytes, which
the engine's tables do not keep. A file that ends inside a frame, because it is still being written, ends before it.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from sensors.capture import Capture, CaptureUnreadable

#: A block or record that says it is longer is damaged: the engine's own bound.
_LONGEST: Final = 64 << 20

_SECTION: Final = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 1, 2, 3, 6
#: Magic number as it stands in the file -> byte order and nanoseconds of a unit of time.
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


class _Bytes(Protocol):
    def read(self, count: int, /) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it was recorded."""

    #: Counted from 1 over all files of the capture, as Wireshark counts.
    number: int
    #: ns since the epoch; None where the capture does not say (simple packet blocks).
    ts_ns: int | None
    link_type: int
    data: bytes
    #: Bytes on the wire: more than `data` where the capture cut it.
    wire_bytes: int


@dataclass(slots=True)
class _Interface:
    link_type: int
    snaplen: int
    units_per_second: int
    offset_ns: int


def frames_of(capture: Capture) -> Iterator[Frame]:
    """Every frame of a capture, in the order of its files. Raises CaptureUnreadable for what is no capture."""
    number = 0
    for part in capture.parts or (capture,):
        for frame in _frames_of_file(part.path):
            number += 1
            yield Frame(number, *frame)


_Found = tuple[int | None, int, bytes, int]


def _frames_of_file(path: Path) -> Iterator[_Found]:
    try:
        source = _opened(path)
    except OSError as error:
        raise CaptureUnreadable(
            path, f"cannot be read: {error.strerror or error}", "check the file"
        ) from error
    try:
        magic = source.read(4)
        if magic == _SECTION:
            yield from _pcapng(source)
        elif magic in _PCAP:
            yield from _pcap(source, *_PCAP[magic])
        else:
            raise CaptureUnreadable(
                path, "is no pcap and no pcapng", "name the capture that was judged, or a recording"
            )
    except (OSError, EOFError) as error:
        raise CaptureUnreadable(
            path, f"cannot be unpacked: {error}", "name a capture that is whole"
        ) from error
    finally:
        source.close()


def _opened(path: Path) -> _Bytes:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return cast(_Bytes, gzip.open(path, "rb"))
    if start == b"\x28\xb5\x2f\xfd":
        import pyarrow as pa

        return cast(_Bytes, pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
    return path.open("rb", buffering=1 << 20)


def _pcap(source: _Bytes, order: str, unit_ns: int) -> Iterator[_Found]:
    head = source.read(20)
    if len(head) < 20:
        return
    link_type = struct.unpack_from(f"{order}I", head, 16)[0] & 0xFFFF
    record = struct.Struct(f"{order}IIII")
    while len(start := source.read(record.size)) == record.size:
        seconds, parts, captured, wire_bytes = record.unpack(start)
        if captured > _LONGEST or len(data := source.read(captured)) < captured:
            return
        yield seconds * 1_000_000_000 + parts * unit_ns, link_type, data, wire_bytes


def _pcapng(source: _Bytes) -> Iterator[_Found]:
    order, interfaces = "<", list[_Interface]()
    kind = _SECTION
    while len(kind) == 4:
        length_bytes = source.read(4)
        if kind == _SECTION:
            magic = source.read(4)
            order = "<" if magic == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
            read = 12
        else:
            read = 8
        if len(length_bytes) < 4:
            return
        (length,) = struct.unpack(f"{order}I", length_bytes)
        if not read + 4 <= length <= _LONGEST or len(body := source.read(length - read)) < length - read:
            return
        number = struct.unpack(f"{order}I", kind)[0]
        if number == _INTERFACE:
            interfaces.append(_interface(body[:-4], order))
        elif number in (_ENHANCED, _OBSOLETE, _SIMPLE):
            found = _packet(number, body, order, interfaces)
            if found is None:
                return
            yield found
        kind = source.read(4)


def _interface(body: bytes, order: str) -> _Interface:
    link_type, _, snaplen = struct.unpack_from(f"{order}HHI", body)
    interface = _Interface(link_type, snaplen, 1_000_000, 0)
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 9 and value:  # if_tsresol
            interface.units_per_second = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == 14 and len(value) == 8:  # if_tsoffset
            interface.offset_ns = struct.unpack(f"{order}q", value)[0] * 1_000_000_000
        at += 4 + (length + 3) // 4 * 4
    return interface


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> _Found | None:
    """One frame; None where the block contradicts itself."""
    if kind == _SIMPLE:
        if not interfaces or len(body) < 8:
            return None
        (wire_bytes,) = struct.unpack_from(f"{order}I", body)
        captured = min(wire_bytes, len(body) - 8, interfaces[0].snaplen or wire_bytes)
        return None, interfaces[0].link_type, body[4 : 4 + captured], wire_bytes
    if len(body) < 24:
        return None
    if kind == _ENHANCED:
        index, high, low, captured, wire_bytes = struct.unpack_from(f"{order}IIIII", body)
    else:
        index, _, high, low, captured, wire_bytes = struct.unpack_from(f"{order}HHIIII", body)
    if index >= len(interfaces) or captured > len(body) - 24:
        return None
    interface = interfaces[index]
    ts_ns = (high << 32 | low) * 1_000_000_000 // interface.units_per_second + interface.offset_ns
    return ts_ns, interface.link_type, body[20 : 20 + captured], wire_bytes
