"""Frames for hostile shapes, quick to make: one stream each, fragments, SYNs and datagrams; no checksums."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_MACS: Final = b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"
_CLIENT: Final = bytes([10, 9, 0, 1])
_SERVER: Final = bytes([10, 9, 0, 2])
_TCP: Final = struct.Struct(">HHIIBBHHH")
_IP: Final = struct.Struct(">BBHHHBBH4s4s")
_SYN, _ACK, _PSH = 2, 16, 8


def _frame(source: bytes, target: bytes, protocol: int, ip_id: int, rest: bytes, offset: int = 0) -> bytes:
    header = _IP.pack(0x45, 0, 20 + len(rest), ip_id & 0xFFFF, offset, 64, protocol, 0, source, target)
    return _MACS + header + rest


class Stream:
    """One TCP connection whose frames are made one by one."""

    def __init__(self, port: int, client_port: int = 40_000) -> None:
        self._up = (client_port, port)
        self._sent = [1_001, 5_001]
        self._id = 0

    def open(self) -> Iterator[bytes]:
        """The handshake."""
        yield self._segment(0, 1_000, 0, _SYN, b"")
        yield self._segment(1, 5_000, 1_001, _SYN | _ACK, b"")
        yield self._segment(0, 1_001, 5_001, _ACK, b"")

    def up(self, payload: bytes) -> bytes:
        """The client says something."""
        return self._say(0, payload)

    def down(self, payload: bytes) -> bytes:
        """The server says something; nothing is an acknowledgement."""
        return self._say(1, payload)

    def up_at(self, place: int, payload: bytes) -> bytes:
        """The client says something at a place of its stream."""
        return self._segment(0, 1_001 + place, self._sent[1], _ACK | _PSH, payload)

    def lost(self, length: int) -> None:
        """The client said something that nobody saw."""
        self._sent[0] += length

    def _say(self, side: int, payload: bytes) -> bytes:
        frame = self._segment(side, self._sent[side], self._sent[1 - side], _ACK | _PSH, payload)
        self._sent[side] += len(payload)
        return frame

    def _segment(self, side: int, sequence: int, ack: int, flags: int, payload: bytes) -> bytes:
        self._id += 1
        ports = self._up if side == 0 else self._up[::-1]
        tcp = _TCP.pack(*ports, sequence & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64_240, 0, 0)
        ends = (_CLIENT, _SERVER) if side == 0 else (_SERVER, _CLIENT)
        return _frame(*ends, 6, self._id, tcp + payload)


def syn(number: int) -> bytes:
    """The first packet of one of very many connections."""
    source = struct.pack(">I", 0x0B000000 | number >> 8)
    tcp = _TCP.pack(1024 + (number & 0xFF), 502, number, 0, 0x50, _SYN, 64_240, 0, 0)
    return _frame(source, _SERVER, 6, number, tcp)


def datagram(port: int, payload: bytes) -> bytes:
    """A UDP datagram from a server's port."""
    udp = struct.pack(">HHHH", port, 40_000, 8 + len(payload), 0)
    return _frame(_SERVER, _CLIENT, 17, 0, udp + payload)


def fragment(ip_id: int, eighths: int, payload: bytes, *, more: bool) -> bytes:
    """A fragment of a UDP datagram (RFC 791, 3.2)."""
    return _frame(_CLIENT, _SERVER, 17, ip_id, payload, (0x2000 if more else 0) | eighths)


def arp(number: int) -> bytes:
    """An ARP announcement of one of very many addresses (RFC 826)."""
    address = struct.pack(">I", 0x0C000000 + number)
    mac = b"\x02" + struct.pack(">Q", number)[3:]
    return (
        b"\xff" * 6 + mac + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" + mac + address + bytes(6) + address
    )
