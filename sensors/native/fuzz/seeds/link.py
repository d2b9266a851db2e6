"""Target `link`: a frame of every tunnel, a fragmented datagram, and frames of each link type."""

from __future__ import annotations

from collections.abc import Callable

from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS, EoMCW
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

#: scapy's functions, with their types.
cut_up: Callable[..., list[Packet]] = fragment
cut_up_6: Callable[..., list[Packet]] = fragment6

#: Places of link types in the target's list.
ETHERNET, PPP_LINK, RAW_IP = 0, 2, 6

#: What the first byte of a frame says of one that the capture cut.
CUT = 0x80


def made() -> list[bytes]:
    """Each is a row of frames: link type and cut, seconds since the last, length in two bytes, the frame."""
    segment = (
        IP(src="10.1.0.5", dst="10.1.0.9") / TCP(sport=40_000, dport=502, flags="PA") / Raw(b"\0\1\0\0\0\6")
    )
    six = IPv6(src="fd00::5", dst="fd00::9") / UDP(sport=5_000, dport=6_000) / Raw(b"z" * 40)
    frame = Ether(src="02:00:00:00:00:11", dst="02:00:00:00:00:22") / Dot1Q(vlan=30) / segment
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    hosts = link / IP(src="192.0.2.1", dst="192.0.2.2", id=7)
    sequence = GRE(proto=0x88BE, seqnum_present=1)
    tunnels: list[Packet] = [
        hosts / GRE(chksum_present=1, key_present=1, key=7, seqnum_present=1) / segment,
        hosts / GRE(proto=0x6558) / frame,
        hosts / GRE(proto=0x88BE) / frame,
        hosts / sequence / ERSPAN_II(session_id=12, vlan=30) / frame,
        hosts / GRE(proto=0x22EB) / ERSPAN_III(session_id=13, o=1) / ERSPAN_PlatformSpecific() / frame,
        hosts / UDP(sport=50_000, dport=4789) / VXLAN(vni=4_711) / frame,
        hosts / UDP(sport=50_000, dport=6081) / GENEVE(vni=3) / frame,
        hosts / segment,
        hosts / six,
        link / MPLS(label=16, s=0, ttl=9) / MPLS(label=17, s=1, ttl=9) / segment,
        link / MPLS(label=18, s=1, ttl=9) / EoMCW() / frame,
        link / PPPoE(sessionid=99) / PPP(proto=0x21) / segment,
    ]
    whole = IP(src="10.1.0.5", dst="10.1.0.9", id=55) / UDP(sport=5_000, dport=6_000) / Raw(b"z" * 60)
    header = IPv6(src="fd00::5", dst="fd00::9") / IPv6ExtHdrFragment(id=77)
    whole_6 = header / UDP(sport=5_000, dport=6_000) / Raw(b"z" * 1_500)
    pieces = [bytes(link / piece) for piece in (*cut_up(whole, fragsize=24), *cut_up_6(whole_6, 1_280))]
    rows = [[(ETHERNET, bytes(tunnel))] for tunnel in tunnels]
    rows.append([(ETHERNET, piece) for piece in pieces])
    rows.append(
        [(RAW_IP, bytes(segment)), (RAW_IP, bytes(six)), (PPP_LINK, b"\xff\x03\0\x21" + bytes(segment))]
    )
    rows.append([(ETHERNET | CUT, bytes(tunnel)[:60]) for tunnel in tunnels])
    return [b"".join(_frame(kind, data) for kind, data in row) for row in rows]


def _frame(kind: int, data: bytes) -> bytes:
    return bytes([kind, 1]) + len(data).to_bytes(2, "big") + data
