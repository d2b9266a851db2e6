"""Target `layer2`: what hosts and switches say of themselves without IP, or beside it."""

from __future__ import annotations

from typing import Final

from scapy.contrib.cdp import (
    CDPAddrRecordIPv4,
    CDPMsgAddr,
    CDPMsgDeviceID,
    CDPMsgPlatform,
    CDPMsgPortID,
    CDPMsgSoftwareVersion,
    CDPv2_HDR,
)
from scapy.contrib.lldp import (
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUManagementAddress,
    LLDPDUPortID,
    LLDPDUSystemDescription,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, LLC, SNAP, STP, Dot3, Ether
from scapy.packet import Packet, Raw

from sensors.native.fuzz.seeds.captures import runs

#: As in src/layer2.rs: how each kind of frame starts behind its addresses. The two bytes of a length before LLC are
#: the target's own.
STARTS: Final = (
    b"\x08\x06\0\x01\x08\0\x06\x04\0",
    b"\x88\xcc",
    b"\0\x26\x42\x42\x03",
    b"\0\x60\xaa\xaa\x03\0\0\x0c\x20\0",
    b"\x88\x92",
    b"\x86\xdd\x60\0\0\0\0\x40\x3a\xff",
)

_ADDRESSES: Final = 12
_LONGEST: Final = 255

MAC: Final = "00:00:5e:00:53:01"
GROUP: Final = "01:00:5e:90:10:00"


def recorded(packets: list[Packet]) -> list[bytes]:
    """Seeds of a capture: one for each run of frames in which such frames are."""
    seeds = (_seed([bytes(packet) for packet in run]) for run in runs(packets))
    return [seed for seed in seeds if seed]


def _seed(frames: list[bytes]) -> bytes:
    """Kind and length of each frame, then its bytes behind what the target writes itself; others are left out."""
    seed = bytearray()
    for frame in frames:
        for kind, start in enumerate(STARTS):
            body = frame[_ADDRESSES:]
            # LLC has the frame's own length before it, and an IPv6 packet a length of its own.
            skipped = 2 if start[0] == 0 else 0
            fixed = 6 if start.startswith(b"\x86\xdd") else len(start)
            if body[skipped:fixed] == start[skipped:fixed] and body[: 2 - skipped] == start[: 2 - skipped]:
                rest = body[len(start) :][:_LONGEST]
                seed += bytes([kind, len(rest)]) + rest
                break
    return bytes(seed)


def made() -> list[bytes]:
    """One of each kind."""
    arp = Ether(src=MAC, dst=GROUP) / ARP(op=2, psrc="192.0.2.1", hwsrc=MAC, pdst="192.0.2.2")
    described = (
        Ether(src=MAC, dst=GROUP, type=0x88CC)
        / LLDPDUChassisID(subtype=4, id=MAC)
        / LLDPDUPortID(subtype=7, id=b"port-001")
        / LLDPDUTimeToLive(ttl=120)
        / LLDPDUSystemName(system_name=b"switch1")
        / LLDPDUSystemDescription(description=b"Acme X100 1.2")
        / LLDPDUManagementAddress(management_address_subtype=1, management_address=b"\xc0\0\2\1")
        / LLDPDUEndOfLLDPDU()
    )
    tree = Dot3(src=MAC, dst=GROUP) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(rootmac=MAC, bridgemac=MAC)
    told = CDPv2_HDR(
        msg=[
            CDPMsgDeviceID(val=b"switch1"),
            CDPMsgAddr(naddr=1, addr=CDPAddrRecordIPv4(addr="192.0.2.1")),
            CDPMsgPortID(iface=b"Fa0/1"),
            CDPMsgSoftwareVersion(val=b"1.2"),
            CDPMsgPlatform(val=b"Acme X100"),
        ]
    )
    cisco = (
        Dot3(src=MAC, dst=GROUP) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0x00000C, code=0x2000) / told
    )
    station = Ether(src=MAC, dst=GROUP, type=0x8892) / Raw(
        b"\xfe\xff\5\1\0\0\0\x09\0\0\0\x0c\2\2\0\6\0\0plc1"
    )
    neighbour = (
        Ether(src=MAC, dst=GROUP)
        / IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=255, plen=64)
        / ICMPv6ND_NA(tgt="2001:db8::1")
        / ICMPv6NDOptDstLLAddr(lladdr=MAC)
        / Raw(bytes(32))
    )
    frames: list[Packet] = [arp, described, tree, cisco, station, neighbour]
    each = [_seed([bytes(frame)]) for frame in frames]
    return [*each, b"".join(each)]
