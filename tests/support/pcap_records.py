"""A capture file in; its frames, with time and link type, out; and frames as a plain pcap file again.

An own reader, so that a damaged file is not made by what reads it: pcap of both byte orders and resolutions,
pcapng with enhanced packet blocks, gzip of either.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_NS = 10**9


@dataclass(frozen=True, slots=True)
class Record:
    """One frame of a capture."""

    ns: int
    data: bytes
    wire_length: int
    link_type: int


def unpacked(file: Path) -> bytes:
    """The bytes of a capture, without gzip."""
    data = file.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def records(file: Path) -> list[Record]:
    """Every frame of a capture."""
    data = unpacked(file)
    return list(_pcapng(data) if data.startswith(b"\x0a\x0d\x0d\x0a") else _pcap(data))


def block_ends(data: bytes) -> list[int]:
    """Where each record or block of an unpacked capture ends, the file header's end first."""
    if data.startswith(b"\x0a\x0d\x0d\x0a"):
        order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
        ends = [0]
        while ends[-1] < len(data):
            ends.append(ends[-1] + struct.unpack_from(f"{order}I", data, ends[-1] + 4)[0])
        return ends[1:]
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    ends = [24]
    while ends[-1] < len(data):
        ends.append(ends[-1] + 16 + struct.unpack_from(f"{order}I", data, ends[-1] + 8)[0])
    return ends


def _pcap(data: bytes) -> Iterator[Record]:
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    (magic,) = struct.unpack_from(f"{order}I", data)
    unit_ns = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    (link_type,) = struct.unpack_from(f"{order}I", data, 20)
    at = 24
    while at < len(data):
        seconds, part, captured, wire = struct.unpack_from(f"{order}IIII", data, at)
        yield Record(
            seconds * _NS + part * unit_ns, data[at + 16 : at + 16 + captured], wire, link_type & 0xFFFF
        )
        at += 16 + captured


def _pcapng(data: bytes) -> Iterator[Record]:
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    interfaces: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind == 1:
            (link_type,) = struct.unpack_from(f"{order}H", data, at + 8)
            interfaces.append((link_type, _units_per_second(data[at + 16 : at + length - 4], order)))
        elif kind == 6:
            interface, high, low, captured, wire = struct.unpack_from(f"{order}IIIII", data, at + 8)
            link_type, units = interfaces[interface]
            ns = (high << 32 | low) * _NS // units
            yield Record(ns, data[at + 28 : at + 28 + captured], wire, link_type)
        at += length


def _units_per_second(options: bytes, order: str) -> int:
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(f"{order}HH", options, at)
        if code == 9:
            resolution = options[at + 4]
            return int(2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution)
        at += 4 + (length + 3) // 4 * 4
    return 1_000_000


def as_pcap(kept: Iterable[Record]) -> bytes:
    """The frames as a little-endian nanosecond pcap; all of one link type."""
    frames = list(kept)
    (link_type,) = {frame.link_type for frame in frames} or {1}
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, link_type)]
    for frame in frames:
        seconds, ns = divmod(frame.ns, _NS)
        out.append(struct.pack("<IIII", seconds, ns, len(frame.data), frame.wire_length) + frame.data)
    return b"".join(out)
