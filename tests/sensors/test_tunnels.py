"""Packets in tunnels: read as the packet inside, and counted as tshark counts the same capture."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS, EoMCW
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import ARP, GRE, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE, PPPoED
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from sensors.engine import decode
from sensors.records import table
from tests.sensors.talks import adu, read_request, read_response

#: The frame that a tunnel carries, with addresses of its own.
INNER = Ether(src="02:00:00:00:00:11", dst="02:00:00:00:00:22")
OUTER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
HOSTS = IP(src="192.0.2.1", dst="192.0.2.2", id=7)

#: scapy's functions, with their types.
cut_up: Callable[..., list[Packet]] = fragment
cut_up_6: Callable[..., list[Packet]] = fragment6

#: Wireshark's names of what `geophone stats` counts as encapsulations.
COUNTED = (
    "vlan",
    "ieee8021ad",
    "mpls",
    "ppp",
    "pppoes",
    "pppoed",
    "gre",
    "erspan",
    "vxlan",
    "geneve",
    "ipv6",
)


def inner_packets(six: bool = False) -> list[Packet]:
    """One Modbus transaction with its handshake, as packets without a link."""
    addresses = ("fd00::5", "fd00::9") if six else ("10.1.0.5", "10.1.0.9")
    request, response = adu(1, read_request(7)), adu(1, read_response(1, 2))
    steps = [
        (0, "S", 100, 0, b""),
        (1, "SA", 500, 101, b""),
        (0, "A", 101, 501, b""),
        (0, "PA", 101, 501, request),
        (1, "PA", 501, 101 + len(request), response),
    ]
    packets: list[Packet] = []
    for number, (side, flags, seq, ack, payload) in enumerate(steps):
        ends = addresses[side], addresses[1 - side]
        ports = (40_000, 502) if side == 0 else (502, 40_000)
        packet: Packet
        packet = IPv6(src=ends[0], dst=ends[1]) if six else IP(src=ends[0], dst=ends[1], id=number + 1)
        packet /= TCP(sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=ack)
        packets.append(packet / Raw(payload) if payload else packet)
    return packets


def in_frames(packets: list[Packet], vlan: int = 0) -> list[Packet]:
    """The packets as frames of their own link."""
    head = INNER / Dot1Q(vlan=vlan) if vlan else INNER
    return [head / packet for packet in packets]


def wrapped(head: Packet, insides: list[Packet]) -> list[Packet]:
    """Each inside behind the same head."""
    return [head / inside for inside in insides]


def save(path: Path, frames: Sequence[Packet]) -> Path:
    """Write frames a millisecond apart."""
    built = []
    for number, frame in enumerate(frames):
        whole = Ether(bytes(frame))
        whole.time = 1_700_000_000 + number / 1000
        built.append(whole)
    wrpcap(str(path), built)
    return path


def read(path: Path, name: str) -> list[dict[str, Any]]:
    """All rows of one table."""
    with decode(path) as run:
        return [row for batches in run if name in batches for row in batches[name].to_pylist()]


def encapsulations(path: Path) -> dict[str, int]:
    """What the engine counted."""
    with decode(path) as run:
        for _ in run:
            pass
        counted = run.summary()["encapsulations"]
    assert isinstance(counted, dict)
    return counted


def tshark_encapsulations(path: Path) -> dict[str, int]:
    """Frames with each of the layers in tshark's protocol chain; what only an operator knows is told to it."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("needs tshark")
    command = [tshark, "-n", "-r", str(path), "-T", "fields"]
    for told in ("udp.port==8472,vxlan", "mpls.label==18,pwethcw", "mpls.label==19,pwethnocw"):
        command += ["-d", told]
    chains = subprocess.run(
        [*command, "-e", "frame.protocols"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    counts = Counter(name for chain in chains for name in set(chain.split(":")))
    return {name: counts[name] for name in COUNTED if counts[name]}


GRE_HEAD = OUTER / HOSTS / GRE(proto=0x88BE, seqnum_present=1, sequence_number=5)

TUNNELS: dict[str, tuple[list[Packet], str, int | None]] = {
    "gre": (wrapped(OUTER / HOSTS / GRE(), inner_packets()), "gre", None),
    "gre-with-every-field": (
        wrapped(
            OUTER / HOSTS / GRE(chksum_present=1, key_present=1, key=77, seqnum_present=1), inner_packets()
        ),
        "gre",
        77,
    ),
    "gre-ipv6": (wrapped(OUTER / HOSTS / GRE(proto=0x86DD), inner_packets(six=True)), "gre", None),
    "gre-ethernet": (
        wrapped(OUTER / HOSTS / GRE(proto=0x6558, key_present=1, key=9), in_frames(inner_packets(), vlan=30)),
        "gre",
        9,
    ),
    "erspan-1": (wrapped(OUTER / HOSTS / GRE(proto=0x88BE), in_frames(inner_packets())), "erspan", None),
    "erspan-2": (
        wrapped(GRE_HEAD / ERSPAN_II(session_id=12, vlan=30), in_frames(inner_packets())),
        "erspan",
        12,
    ),
    "erspan-3": (
        wrapped(
            OUTER / HOSTS / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(session_id=13, vlan=30),
            in_frames(inner_packets()),
        ),
        "erspan",
        13,
    ),
    "erspan-3-platform": (
        wrapped(
            OUTER
            / HOSTS
            / GRE(proto=0x22EB, seqnum_present=1)
            / ERSPAN_III(session_id=13, vlan=30, o=1)
            / ERSPAN_PlatformSpecific(),
            in_frames(inner_packets()),
        ),
        "erspan",
        13,
    ),
    "vxlan": (
        wrapped(
            OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=8, vni=4_711),
            in_frames(inner_packets()),
        ),
        "vxlan",
        4_711,
    ),
    "vxlan-linux-port-vlan": (
        wrapped(
            OUTER / Dot1Q(vlan=5) / HOSTS / UDP(sport=50_000, dport=8472) / VXLAN(flags=8, vni=1),
            in_frames(inner_packets(), vlan=30),
        ),
        "vxlan",
        1,
    ),
    "vxlan-gpe": (
        wrapped(
            OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=12, NextProtocol=3, vni=4),
            in_frames(inner_packets()),
        ),
        "vxlan",
        4,
    ),
    "vxlan-over-ipv6": (
        wrapped(
            OUTER
            / IPv6(src="2001:db8::1", dst="2001:db8::2")
            / UDP(sport=50_000, dport=4789)
            / VXLAN(flags=8, vni=2),
            in_frames(inner_packets()),
        ),
        "vxlan",
        2,
    ),
    "geneve": (
        wrapped(OUTER / HOSTS / UDP(sport=50_000, dport=6081) / GENEVE(vni=3), in_frames(inner_packets())),
        "geneve",
        3,
    ),
    "ip-in-ip": (wrapped(OUTER / HOSTS, inner_packets()), "ip_in_ip", None),
    "ipv6-in-ipv4": (wrapped(OUTER / HOSTS, inner_packets(six=True)), "ip_in_ip", None),
    "ipv4-in-ipv6": (
        wrapped(OUTER / IPv6(src="2001:db8::1", dst="2001:db8::2"), inner_packets()),
        "ip_in_ip",
        None,
    ),
    "mpls-two-labels": (
        wrapped(OUTER / MPLS(label=16, s=0, ttl=9) / MPLS(label=1_048_575, s=1, ttl=9), inner_packets()),
        "mpls",
        1_048_575,
    ),
    "mpls-ipv6": (wrapped(OUTER / MPLS(label=17, s=1, ttl=9), inner_packets(six=True)), "mpls", 17),
    "mpls-pseudowire": (
        wrapped(OUTER / MPLS(label=18, s=1, ttl=9) / EoMCW(), in_frames(inner_packets(), vlan=30)),
        "mpls",
        18,
    ),
    "mpls-pseudowire-without-control-word": (
        wrapped(OUTER / MPLS(label=19, s=1, ttl=9), in_frames(inner_packets())),
        "mpls",
        19,
    ),
    "pppoe": (
        wrapped(OUTER / PPPoE(sessionid=99) / PPP(proto=0x21), inner_packets()),
        "pppoe",
        99,
    ),
    "pppoe-ipv6": (
        wrapped(OUTER / PPPoE(sessionid=98) / PPP(proto=0x57), inner_packets(six=True)),
        "pppoe",
        98,
    ),
    "erspan-of-vxlan": (
        wrapped(
            GRE_HEAD
            / ERSPAN_II(session_id=1, vlan=2)
            / OUTER
            / HOSTS
            / UDP(sport=50_000, dport=4789)
            / VXLAN(flags=8, vni=6),
            in_frames(inner_packets()),
        ),
        "vxlan",
        6,
    ),
    "mpls-in-gre": (
        wrapped(OUTER / HOSTS / GRE(proto=0x8847) / MPLS(label=20, s=1, ttl=9), inner_packets()),
        "mpls",
        20,
    ),
}


@pytest.mark.parametrize("name", TUNNELS)
def test_the_packet_inside_makes_the_flow(tmp_path: Path, name: str) -> None:
    frames, kind, number = TUNNELS[name]
    path = save(tmp_path / f"{name}.pcap", frames)
    (flow,) = read(path, "flows")
    assert (flow["ip_proto"], flow["client_port"], flow["server_port"]) == (6, 40_000, 502)
    assert (flow["tunnel"], flow["tunnel_id"]) == (kind, number)
    assert (flow["packets_c2s"], flow["packets_s2c"]) == (3, 2)
    (transaction,) = read(path, "modbus")
    assert (transaction["outcome"], transaction["values_read"]) == ("answered", [1, 2])
    (coverage,) = read(path, "coverage")
    assert (coverage["unread_packets"], coverage["malformed_packets"], coverage["cut_packets"]) == (0, 0, 0)
    assert read(path, "anomalies") == []


@pytest.mark.parametrize("name", TUNNELS)
def test_tshark_counts_the_same_encapsulations(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / f"{name}.pcap", TUNNELS[name][0])
    ours = {key: count for key, count in encapsulations(path).items() if key in COUNTED}
    assert ours == tshark_encapsulations(path)


@pytest.mark.parametrize(
    ("name", "mac", "vlan"),
    [
        # The frame inside has addresses and a VLAN of its own, or ERSPAN's header says in which VLAN it was.
        ("gre-ethernet", 0x020000000011, 30),
        ("vxlan-linux-port-vlan", 0x020000000011, 30),
        ("erspan-2", 0x020000000011, 30),
        ("vxlan", 0x020000000011, 0),
        # Without a frame inside only the outer one's are known.
        ("gre", 0x020000000001, 0),
        ("mpls-two-labels", 0x020000000001, 0),
    ],
)
def test_link_addresses_are_those_of_the_innermost_frame(
    tmp_path: Path, name: str, mac: int, vlan: int
) -> None:
    (flow,) = read(save(tmp_path / "one.pcap", TUNNELS[name][0]), "flows")
    assert (flow["client_mac"], flow["vlan"]) == (mac, vlan)


def test_a_flow_without_a_tunnel_has_none(tmp_path: Path) -> None:
    (flow,) = read(save(tmp_path / "plain.pcap", in_frames(inner_packets())), "flows")
    assert (flow["tunnel"], flow["tunnel_id"]) == ("none", None)


@pytest.mark.parametrize(
    ("frames", "named"),
    [
        # PPTP's version of GRE, a source route, a keepalive, discovery, a control protocol of PPP.
        ([OUTER / HOSTS / Raw(b"\x30\x01\x88\x0b\0\4\0\1\0\0\0\1\xff\3\xc0\x21")], {"gre": 1}),
        (
            [OUTER / IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / Raw(b"\x40\0\x08\0" + b"\0" * 8)],
            {"gre": 1},
        ),
        ([OUTER / IP(src="192.0.2.1", dst="192.0.2.2", proto=47) / Raw(b"\0\0\0\0")], {"gre": 1}),
        ([OUTER / PPPoED(code=9) / Raw(b"\1\1\0\0")], {"pppoed": 1}),
        ([OUTER / PPPoE(sessionid=9) / PPP(proto=0xC021) / Raw(b"\1\1\0\4")], {"pppoes": 1, "ppp": 1}),
    ],
)
def test_what_carries_no_packet_is_counted_by_name_and_unread(
    tmp_path: Path, frames: list[Packet], named: dict[str, int]
) -> None:
    if IP in frames[0]:
        frames[0][IP].proto = 47
    path = save(tmp_path / "unread.pcap", frames)
    assert encapsulations(path) == named
    (coverage,) = read(path, "coverage")
    assert (coverage["unread_packets"], coverage["malformed_packets"]) == (1, 0)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x00\0\0\0\0\0\1\0" + b"x" * 40,
        b"\x08\0\0\0\0\0\1\7" + b"x" * 40,
        b"\x08\0\0\0\0\0\1\0short",
        b"dns?",
    ],
    ids=["no-network-flag", "reserved-byte", "no-frame", "short"],
)
def test_a_datagram_on_the_port_of_vxlan_without_its_structure_stays_a_datagram(
    tmp_path: Path, payload: bytes
) -> None:
    path = save(tmp_path / "not.pcap", [OUTER / HOSTS / UDP(sport=50_000, dport=8472) / Raw(payload)])
    (flow,) = read(path, "flows")
    assert (flow["ip_proto"], flow["server_port"], flow["tunnel"]) == (17, 8472, "none")


def test_a_frame_that_the_mirroring_switch_cut_is_no_malformed_one(tmp_path: Path) -> None:
    insides = [bytes(frame)[:60] for frame in in_frames(inner_packets())]
    head = GRE_HEAD / ERSPAN_II(session_id=1, vlan=2, t=1)
    path = save(tmp_path / "cut.pcap", [head / Raw(inside) for inside in insides])
    (coverage,) = read(path, "coverage")
    assert coverage["malformed_packets"] == 0
    assert coverage["cut_packets"] > 0
    (flow,) = read(path, "flows")
    # What was sent is known from the headers, whatever the switch kept of it.
    assert flow["payload_bytes_c2s"] == len(adu(1, read_request(7)))


def test_fragments_of_a_tunnel_and_within_one_are_put_together(tmp_path: Path) -> None:
    big = IP(src="10.1.0.5", dst="10.1.0.9", id=55) / UDP(sport=5_000, dport=6_000) / Raw(b"z" * 3_000)
    outside = OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=8, vni=9) / INNER / big
    pieces = cut_up(Ether(bytes(outside)), fragsize=1_400)
    within = [
        OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=8, vni=9) / INNER / piece
        for piece in cut_up(big, fragsize=1_000)
    ]
    for frames in (pieces, within):
        path = save(tmp_path / "pieces.pcap", frames)
        (flow,) = read(path, "flows")
        assert (flow["client_port"], flow["payload_bytes_c2s"], flow["tunnel_id"]) == (5_000, 3_000, 9)
        assert flow["packets_c2s"] == len(frames)


def test_tshark_puts_the_same_packets_together(tmp_path: Path) -> None:
    """Fragments of both versions in all orders: the frame that completes a packet, and its payload's length."""
    four = IP(src="10.1.0.5", dst="10.1.0.9", id=55) / UDP(sport=5_000, dport=6_000) / Raw(b"z" * 2_500)
    six = (
        IPv6(src="fd00::5", dst="fd00::9")
        / IPv6ExtHdrFragment(id=77)
        / UDP(sport=5_000, dport=6_000)
        / Raw(b"z" * 2_500)
    )
    pieces = [OUTER / piece for piece in cut_up(four, fragsize=1_000)]
    pieces_6 = [OUTER / piece for piece in cut_up_6(six, 1_300)]
    mixed = [packet for pair in zip(reversed(pieces), pieces_6, strict=False) for packet in pair]
    path = save(tmp_path / "mixed.pcap", mixed)
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("needs tshark")
    told = subprocess.run(
        [
            tshark,
            "-n",
            "-r",
            str(path),
            "-Y",
            "udp",
            "-T",
            "fields",
            "-e",
            "frame.number",
            "-e",
            "udp.length",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    theirs = {int(frame): int(length) - 8 for frame, length in (line.split("\t") for line in told if line)}
    ours = {flow["first_frame"]: flow["payload_bytes_c2s"] for flow in read(path, "flows")}
    assert ours == theirs


def test_tunnels_in_tunnels_are_looked_through_up_to_a_limit(tmp_path: Path) -> None:
    for depth, read_through in ((8, True), (9, False)):
        head: Packet = OUTER
        for _ in range(depth):
            head = head / IP(src="192.0.2.1", dst="192.0.2.2", proto=4)
        path = save(tmp_path / "deep.pcap", wrapped(head, inner_packets()))
        assert bool(read(path, "modbus")) is read_through
        assert {row["kind"] for row in read(path, "anomalies")} == (
            set() if read_through else {"tunnel_nesting"}
        )


def test_copies_of_the_packet_inside_are_one_however_they_were_mirrored(tmp_path: Path) -> None:
    """A switch that mirrors both ports sends each packet in two ERSPAN packets of different numbers."""
    frames = []
    for number, inside in enumerate(in_frames(inner_packets())):
        for copy in (0, 1):
            hosts = HOSTS.copy()
            hosts.id = 100 + 2 * number + copy
            gre = GRE(proto=0x88BE, seqnum_present=1, sequence_number=2 * number + copy)
            frames.append(OUTER / hosts / gre / ERSPAN_II(session_id=1, vlan=30) / inside)
    (flow,) = read(save(tmp_path / "twice.pcap", frames), "flows")
    assert (flow["packets_c2s"], flow["duplicate_packets_c2s"]) == (3, 3)


def test_other_frames_within_a_tunnel_are_what_they_are_outside(tmp_path: Path) -> None:
    head = OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=8, vni=9) / INNER
    ping = IP(src="10.1.0.5", dst="10.1.0.9") / ICMP()
    path = save(tmp_path / "others.pcap", [head / ARP(psrc="10.1.0.5", pdst="10.1.0.9"), head / ping])
    with decode(path) as run:
        for _ in run:
            pass
        protocols = run.summary()["protocols"]
    assert protocols == {"eth": 2, "ip": 2, "udp": 2, "arp": 1, "icmp": 1}


def test_every_tunnel_of_the_declaration_is_tested_here() -> None:
    declared = next(column for column in table("flows").columns if column.name == "tunnel")
    words = declared.doc.rpartition(": ")[2].split(", ")
    assert set(words) == {kind for _, kind, _ in TUNNELS.values()} | {"none"}
