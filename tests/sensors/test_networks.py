"""Networks behind tunnels that use the same addresses are told apart; one conversation in several tunnels is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scapy.contrib.erspan import ERSPAN_II
from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import GRE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from sensors.engine import EngineLimits, decode
from tests.sensors.talks import adu, read_request, read_response
from tests.sensors.test_tunnels import INNER, OUTER, read, save

#: A packet without a link, in a tunnel of a number.
Wrap = Callable[[int, Packet], Packet]

HOSTS = IP(src="192.0.2.1", dst="192.0.2.2", id=7)


def in_vxlan(number: int, inside: Packet) -> Packet:
    return OUTER / HOSTS / UDP(sport=50_000, dport=4789) / VXLAN(flags=8, vni=number) / INNER / inside


def in_geneve(number: int, inside: Packet) -> Packet:
    return OUTER / HOSTS / UDP(sport=50_000, dport=6081) / GENEVE(proto=0x6558, vni=number) / INNER / inside


def in_gre(number: int, inside: Packet) -> Packet:
    return OUTER / HOSTS / GRE(proto=0x0800, key_present=1, key=number) / inside


def in_erspan(number: int, inside: Packet) -> Packet:
    gre = GRE(proto=0x88BE, seqnum_present=1, sequence_number=1)
    return OUTER / HOSTS / gre / ERSPAN_II(session_id=number) / INNER / inside


def in_mpls(number: int, inside: Packet) -> Packet:
    return OUTER / MPLS(label=number, s=1, ttl=64) / inside


def outside(_: int, inside: Packet) -> Packet:
    return INNER / inside


WRAPS = {
    "vxlan": in_vxlan,
    "geneve": in_geneve,
    "gre": in_gre,
    "erspan": in_erspan,
    "mpls": in_mpls,
}


def conversation(isn: int, register: int, first_id: int) -> list[tuple[int, Packet]]:
    """Side and packet of a Modbus read of one register, with its handshake: addresses and ports are always the same."""
    request, response = adu(1, read_request(register)), adu(1, read_response(1, 2))
    mine, theirs = isn, isn + 77_000_000
    steps = [
        (0, "S", mine, 0, b""),
        (1, "SA", theirs, mine + 1, b""),
        (0, "A", mine + 1, theirs + 1, b""),
        (0, "PA", mine + 1, theirs + 1, request),
        (1, "PA", theirs + 1, mine + 1 + len(request), response),
    ]
    packets = []
    for number, (side, flags, seq, ack, payload) in enumerate(steps):
        ends = [("10.1.0.5", 40_000), ("10.1.0.9", 502)]
        (source, sport), (target, dport) = ends[side], ends[1 - side]
        head = IP(src=source, dst=target, id=first_id + number)
        segment: Packet = head / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack)
        packets.append((side, segment / Raw(payload) if payload else segment))
    return packets


def two_tenants() -> list[tuple[int, int, Packet]]:
    """Tenant, side and packet of two conversations, one packet of each in turn."""
    one = [(0, side, packet) for side, packet in conversation(1_000_000, 7, 1)]
    two = [(1, side, packet) for side, packet in conversation(900_000_000, 8, 1)]
    return [step for pair in zip(one, two, strict=True) for step in pair]


def reads(path: Path) -> list[tuple[int, str]]:
    return sorted((row["address"], row["outcome"]) for row in read(path, "modbus"))


def packets_of(path: Path) -> list[tuple[int, int]]:
    return [(row["packets_c2s"], row["packets_s2c"]) for row in read(path, "flows")]


@pytest.mark.parametrize("name", WRAPS)
def test_the_same_addresses_under_two_numbers_are_two_flows(tmp_path: Path, name: str) -> None:
    """The number is the same in both directions."""
    frames = [WRAPS[name](5 + tenant, packet) for tenant, _, packet in two_tenants()]
    path = save(tmp_path / "two.pcap", frames)
    assert reads(path) == [(7, "answered"), (8, "answered")]
    assert packets_of(path) == [(3, 2), (3, 2)]
    assert sorted(row["tunnel_id"] for row in read(path, "flows")) == [5, 6]
    assert read(path, "anomalies") == []


@pytest.mark.parametrize("name", WRAPS)
def test_two_networks_whose_directions_have_numbers_of_their_own_are_two_flows(
    tmp_path: Path, name: str
) -> None:
    """As MPLS labels are, and sessions that mirror one port's input each."""
    frames = [WRAPS[name](5 + tenant + 10 * side, packet) for tenant, side, packet in two_tenants()]
    path = save(tmp_path / "two.pcap", frames)
    assert reads(path) == [(7, "answered"), (8, "answered")]
    assert packets_of(path) == [(3, 2), (3, 2)]
    assert read(path, "anomalies") == []


@pytest.mark.parametrize("name", WRAPS)
def test_a_number_for_each_direction_is_one_flow(tmp_path: Path, name: str) -> None:
    frames = [WRAPS[name](5 + side, packet) for side, packet in conversation(1_000_000, 7, 1)]
    path = save(tmp_path / "one.pcap", frames)
    assert packets_of(path) == [(3, 2)]
    assert reads(path) == [(7, "answered")]


@pytest.mark.parametrize("name", WRAPS)
def test_a_conversation_that_changes_its_tunnel_is_one_flow(tmp_path: Path, name: str) -> None:
    steps = conversation(1_000_000, 7, 1)
    frames = [WRAPS[name](5 if number < 3 else 6, packet) for number, (_, packet) in enumerate(steps)]
    path = save(tmp_path / "moved.pcap", frames)
    assert packets_of(path) == [(3, 2)]


@pytest.mark.parametrize("name", WRAPS)
@pytest.mark.parametrize("inside_first", [True, False])
def test_what_is_seen_inside_and_outside_is_one_packet_and_a_copy(
    tmp_path: Path, name: str, inside_first: bool
) -> None:
    """Whichever of the two comes first, packet by packet."""
    frames = []
    for number, (_, packet) in enumerate(conversation(1_000_000, 7, 1)):
        pair = [WRAPS[name](5, packet), outside(5, packet)]
        frames += pair if inside_first == (number % 2 == 0) else pair[::-1]
    (flow,) = read(save(tmp_path / "both.pcap", frames), "flows")
    assert (flow["packets_c2s"], flow["duplicate_packets_c2s"]) == (3, 3)
    assert (flow["packets_s2c"], flow["duplicate_packets_s2c"]) == (2, 2)


def datagram(side: int, number: int, payload: bytes) -> Packet:
    ends = ("10.1.0.5", "10.1.0.9")
    head = IP(src=ends[side], dst=ends[1 - side], id=number)
    return head / UDP(sport=2222, dport=2222) / Raw(payload)


def test_cyclic_datagrams_of_cells_with_the_same_addresses_are_a_flow_a_cell(tmp_path: Path) -> None:
    frames = [
        in_vxlan(5 + cell, datagram(side, 100 * cell + 2 * turn + side, b"%d" % turn))
        for turn in range(4)
        for cell in range(3)
        for side in (0, 1)
    ]
    path = save(tmp_path / "cells.pcap", frames)
    assert packets_of(path) == [(4, 4)] * 3


def test_mirror_sessions_whose_copies_overtake_each_other_are_one_flow_of_datagrams(tmp_path: Path) -> None:
    frames = []
    for turn in range(6):
        packet = datagram(0, 1 + turn, b"%d" % turn)
        sessions = (1, 2) if turn % 2 == 0 else (2, 1)
        frames += [in_erspan(session, packet) for session in sessions]
    (flow,) = read(save(tmp_path / "mirrors.pcap", frames), "flows")
    assert (flow["packets_c2s"], flow["duplicate_packets_c2s"]) == (6, 6)


def test_the_same_packet_of_two_networks_is_no_copy_once_they_are_known(tmp_path: Path) -> None:
    frames = [in_vxlan(5, datagram(0, 1, b"a")), in_vxlan(6, datagram(0, 2, b"b"))]
    frames += [in_vxlan(number, datagram(0, 3, b"c")) for number in (5, 6)]
    path = save(tmp_path / "same.pcap", frames)
    assert packets_of(path) == [(2, 0), (2, 0)]


def test_networks_beyond_the_limit_share_the_last_ones_flow(tmp_path: Path) -> None:
    frames = [in_vxlan(number, datagram(0, number, b"x")) for number in range(1, 9)]
    path = save(tmp_path / "many.pcap", frames)
    rows: list[dict[str, Any]] = []
    with decode(path, limits=EngineLimits(networks_per_flow=3)) as run:
        for batches in run:
            rows += batches["flows"].to_pylist() if "flows" in batches else []
    assert sorted(row["packets_c2s"] for row in rows) == [1, 1, 6]
    assert len(read(path, "flows")) == 8
