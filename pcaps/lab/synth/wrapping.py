"""The same frame as other taps give it: with VLAN tags, or in a tunnel from the switch to the sensor.

IEEE 802.1Q, 9.6 and 802.1ad; GRE (RFC 2784); ERSPAN type II (draft-foschiano-erspan, 4.1); VXLAN (RFC 7348, 5).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final

from scapy.contrib.erspan import ERSPAN_II
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from pcaps.lab.synth.frames import is_ipv4

#: Who mirrors and who listens; addresses of RFC 7042 and RFC 5737, for documentation.
_SWITCH: Final = ("00:00:5e:00:53:f0", "192.0.2.2")
_SENSOR: Final = ("00:00:5e:00:53:f1", "192.0.2.9")
_MACS: Final = 12
_HEADER: Final = 14
_IPV4: Final = 0x0800
_GRE: Final = 47
_ERSPAN_II: Final = 0x88BE
_VXLAN_PORT: Final = 4789
#: VXLAN's source port tells flows apart (RFC 7348, 5); the ephemeral range.
_FIRST_PORT, _PORTS = 49_152, 16_384

VLAN: Final = 60
SERVICE_VLAN: Final = 900
ERSPAN_SESSION: Final = 17
VXLAN_NETWORK: Final = 5_060

#: A frame and its number in the capture in, what the tap gives out.
Wrap = Callable[[bytes, int], bytes]


def vlan(frame: bytes, _: int) -> bytes:
    """With a tag."""
    return frame[:_MACS] + struct.pack("!HH", 0x8100, VLAN) + frame[_MACS:]


def double_vlan(frame: bytes, number: int) -> bytes:
    """With a provider's tag outside of its own."""
    tagged = vlan(frame, number)
    return tagged[:_MACS] + struct.pack("!HH", 0x88A8, SERVICE_VLAN) + tagged[_MACS:]


def gre(frame: bytes, number: int) -> bytes:
    """An IPv4 packet alone, without its Ethernet header and padding; ARP stays outside as it is."""
    if not is_ipv4(frame):
        return frame
    packet = frame[_HEADER:]
    (length,) = struct.unpack_from("!H", packet, 2)
    return bytes(_outer(number) / GRE(proto=_IPV4) / Raw(packet[:length]))


def erspan(frame: bytes, number: int) -> bytes:
    """The whole frame, as a switch mirrors it to an address."""
    mirrored = GRE(proto=_ERSPAN_II, seqnum_present=1, sequence_number=number)
    return bytes(_outer(number) / mirrored / ERSPAN_II(vlan=VLAN, session_id=ERSPAN_SESSION) / Raw(frame))


def vxlan(frame: bytes, number: int) -> bytes:
    """The whole frame, as a virtual switch mirrors it. Its outer UDP has no checksum (RFC 7348, 5)."""
    port = _FIRST_PORT + zlib.crc32(frame[: _HEADER + 20]) % _PORTS
    outer = IP(src=_SWITCH[1], dst=_SENSOR[1], id=number & 0xFFFF) / UDP(
        sport=port, dport=_VXLAN_PORT, chksum=0
    )
    tunnel = VXLAN(flags=0x08, vni=VXLAN_NETWORK) / Raw(frame)
    return bytes(Ether(src=_SWITCH[0], dst=_SENSOR[0]) / outer / tunnel)


def _outer(number: int) -> Ether:
    head = Ether(src=_SWITCH[0], dst=_SENSOR[0])
    return head / IP(src=_SWITCH[1], dst=_SENSOR[1], id=number & 0xFFFF, proto=_GRE)
