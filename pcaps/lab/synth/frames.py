"""Frames as bytes: scapy lays out the headers once for each direction, the fields that change are filled in.

scapy builds about a thousand frames a second; a template takes it out of the loop and keeps its layout.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.utils import checksum

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

#: A frame on an Ethernet wire is never shorter (IEEE 802.3, 3.2.8; the check sequence is not captured).
MINIMUM_FRAME: Final = 60
BROADCAST: Final = "ff:ff:ff:ff:ff:ff"

_IP: Final = 14
_TCP: Final = 34
_UDP: Final = 34
_TIMESTAMP: Final = _TCP + 20 + 4


@dataclass(frozen=True, slots=True)
class Addresses:
    """Who sends a frame to whom, on the hop where it is captured."""

    src_mac: str
    dst_mac: str
    src_ip: str
    dst_ip: str
    ttl: int = 64


@lru_cache(maxsize=1024)
def _layouts(ends: Addresses, timestamps: bool, mss: int) -> tuple[bytes, bytes]:
    """A segment and a SYN between two stations: a day has thousands of their connections, and scapy is slow."""
    clock = [("NOP", None), ("NOP", None), ("Timestamp", (0, 0))] if timestamps else []
    head = Ether(src=ends.src_mac, dst=ends.dst_mac) / IP(
        src=ends.src_ip, dst=ends.dst_ip, ttl=ends.ttl, flags="DF"
    )
    # The timestamps come first in both layouts, so that one offset serves: the order is free.
    return bytes(head / TCP(options=clock)), bytes(head / TCP(options=[*clock, ("MSS", mss)]))


class TcpTemplate:
    """One direction of a connection: segments in, frames out."""

    def __init__(self, ends: Addresses, src_port: int, dst_port: int, *, timestamps: bool, mss: int) -> None:
        plain, syn = _layouts(ends, timestamps, mss)
        ports = struct.pack("!HH", src_port, dst_port)
        self._plain = plain[:_TCP] + ports + plain[_TCP + 4 :]
        self._syn = syn[:_TCP] + ports + syn[_TCP + 4 :]
        self._timestamps = timestamps
        self._pseudo = self._plain[_IP + 12 : _IP + 20] + b"\x00\x06"

    def frame(
        self,
        *,
        seq: int,
        ack: int,
        flags: int,
        ip_id: int,
        window: int,
        payload: bytes,
        timestamp: tuple[int, int] = (0, 0),
    ) -> bytes:
        """The frame of one segment, padded as on the wire; sequence numbers are taken modulo 2**32."""
        frame = bytearray(self._syn if flags & SYN else self._plain) + payload
        struct.pack_into("!HH", frame, _IP + 2, len(frame) - _IP, ip_id & 0xFFFF)
        struct.pack_into("!H", frame, _IP + 10, 0)
        struct.pack_into("!H", frame, _IP + 10, checksum(bytes(frame[_IP:_TCP])))
        struct.pack_into("!II", frame, _TCP + 4, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF if flags & ACK else 0)
        struct.pack_into("!BHH", frame, _TCP + 13, flags, window, 0)
        if self._timestamps:
            struct.pack_into("!II", frame, _TIMESTAMP, timestamp[0] & 0xFFFFFFFF, timestamp[1] & 0xFFFFFFFF)
        segment = bytes(frame[_TCP:])
        pseudo = self._pseudo + struct.pack("!H", len(segment))
        struct.pack_into("!H", frame, _TCP + 16, checksum(pseudo + segment))
        return _padded(bytes(frame))


def udp_frame(ends: Addresses, src_port: int, dst_port: int, ip_id: int, payload: bytes) -> bytes:
    """One UDP datagram."""
    frame = bytearray(_datagram(ends)) + payload
    struct.pack_into("!HH", frame, _IP + 2, len(frame) - _IP, ip_id & 0xFFFF)
    struct.pack_into("!H", frame, _IP + 10, checksum(bytes(frame[_IP:_UDP])))
    length = len(frame) - _UDP
    struct.pack_into("!HHH", frame, _UDP, src_port, dst_port, length)
    pseudo = bytes(frame[_IP + 12 : _UDP]) + struct.pack("!HH", 17, length)
    # A sum of 0 would say that there is none (RFC 768).
    struct.pack_into("!H", frame, _UDP + 6, checksum(pseudo + bytes(frame[_UDP:])) or 0xFFFF)
    return _padded(bytes(frame))


@lru_cache(maxsize=1024)
def _datagram(ends: Addresses) -> bytes:
    """An empty datagram between two stations, its checksums still 0."""
    ip = IP(src=ends.src_ip, dst=ends.dst_ip, ttl=ends.ttl, chksum=0)
    return bytes(Ether(src=ends.src_mac, dst=ends.dst_mac) / ip / UDP(chksum=0))


@lru_cache(maxsize=1024)
def arp_request(mac: str, ip: str, asked_ip: str) -> bytes:
    """Who has `asked_ip`? (RFC 826), to everyone."""
    return _padded(
        bytes(
            Ether(src=mac, dst=BROADCAST)
            / ARP(op="who-has", hwsrc=mac, psrc=ip, hwdst="00:00:00:00:00:00", pdst=asked_ip)
        )
    )


@lru_cache(maxsize=1024)
def arp_reply(mac: str, ip: str, asker_mac: str, asker_ip: str) -> bytes:
    """`ip` is at `mac`, to who asked."""
    return _padded(
        bytes(
            Ether(src=mac, dst=asker_mac)
            / ARP(op="is-at", hwsrc=mac, psrc=ip, hwdst=asker_mac, pdst=asker_ip)
        )
    )


def is_ipv4(frame: bytes) -> bool:
    """Whether an untagged frame carries an IPv4 packet."""
    return frame[_IP - 2 : _IP] == b"\x08\x00"


def egress_copy(frame: bytes, src_mac: str, dst_mac: str, vlan: int) -> bytes:
    """The same IPv4 packet as it leaves the router: next hop's MACs, a VLAN tag where > 0, TTL one less."""
    packet = bytearray(frame[_IP:])
    packet[8] -= 1
    struct.pack_into("!H", packet, 10, 0)
    struct.pack_into("!H", packet, 10, checksum(bytes(packet[:20])))
    head = Ether(src=src_mac, dst=dst_mac, type=0x0800)
    if vlan:
        head = Ether(src=src_mac, dst=dst_mac) / Dot1Q(vlan=vlan, type=0x0800)
    return bytes(head) + bytes(packet)


def _padded(frame: bytes) -> bytes:
    return frame.ljust(MINIMUM_FRAME, b"\x00")
