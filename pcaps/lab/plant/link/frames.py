"""An Ethernet frame in; who it is from, to whom, and its place in its conversation out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

TCP: Final = 6
UDP: Final = 17
FIN: Final = 0x01
SYN: Final = 0x02
ACK: Final = 0x10
_IPV4: Final = 0x0800
_ARP: Final = 0x0806
_ETHERNET: Final = 14


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a frame from another. Of UDP and other protocols all but addresses and ports is 0."""

    proto: int
    src: str
    sport: int
    dst: str
    dport: int
    ip_id: int
    seq: int
    ack: int
    flags: int
    payload: int

    @property
    def conversation(self) -> tuple[str, int, str, int]:
        """Source and destination with their ports: one direction of one connection."""
        return self.src, self.sport, self.dst, self.dport

    @property
    def occupies(self) -> bool:
        """Whether it takes sequence numbers: payload, or a stream's beginning or end."""
        return self.payload > 0 or bool(self.flags & (SYN | FIN))


def is_arp(frame: bytes) -> bool:
    """Whether the frame is ARP."""
    return frame[12:14] == _ARP.to_bytes(2, "big")


def identify(frame: bytes) -> Identity | None:
    """Who a frame is; None where it is no whole IPv4 packet (ARP, IPv6, a later fragment)."""
    if len(frame) < _ETHERNET + 20 or frame[12:14] != _IPV4.to_bytes(2, "big"):
        return None
    head = (frame[_ETHERNET] & 15) * 4
    length, ip_id, fragment = struct.unpack_from("!HHH", frame, _ETHERNET + 2)
    proto = frame[_ETHERNET + 9]
    src, dst = (str(IPv4Address(frame[_ETHERNET + at : _ETHERNET + at + 4])) for at in (12, 16))
    start = _ETHERNET + head
    if fragment & 0x1FFF:
        return None
    if proto == TCP and len(frame) >= start + 20:
        sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", frame, start)
        payload = length - head - (offset >> 4) * 4
        return Identity(TCP, src, sport, dst, dport, ip_id, seq, ack, flags, payload)
    if proto == UDP and len(frame) >= start + 8:
        sport, dport = struct.unpack_from("!HH", frame, start)
        return Identity(UDP, src, sport, dst, dport, ip_id, 0, 0, 0, length - head - 8)
    return Identity(proto, src, 0, dst, 0, ip_id, 0, 0, 0, length - head)
