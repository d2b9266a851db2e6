"""Scripted conversations, knocks, pings and address servers put on the wire what their standards say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest
from pymodbus.pdu.register_message import WriteSingleRegisterRequest, WriteSingleRegisterResponse
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRPv3

from pcaps.lab.synth.background import Exchange, converse
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND, Clock
from pcaps.lab.synth.dhcp import DhcpClient, Lease
from pcaps.lab.synth.failover import advertise, gratuitous_arp, virtual_mac
from pcaps.lab.synth.modbus import PORT
from pcaps.lab.synth.modbus_script import Script, adu, refused
from pcaps.lab.synth.network import Captured, Host, Network
from pcaps.lab.synth.probes import Knock, Port, nobody, ping
from pcaps.lab.synth.tally import Operations, Said, operations


def host(name: str, number: int) -> Host:
    mac = f"00:00:5e:00:53:{number:02x}"
    zone = f"zone{number}"
    return Host(
        name,
        zone,
        f"10.0.{number}.1",
        mac,
        "00:00:5e:00:53:fe",
        MILLISECOND,
        0,
        40 * MILLISECOND,
        False,
        7,
    )


@dataclass
class Wire:
    """Two stations and the tap between them."""

    network: Network
    client: Host
    server: Host

    def run(self) -> list[Captured]:
        self.network.clock.run()
        return sorted(self.network.captured, key=lambda one: one.ts_ns)

    def payloads(self, sender: Host) -> list[bytes]:
        """What the sender's segments carry."""
        sizes = [(one.packet.frame, one.packet.payload_bytes) for one in self.run() if one.sender is sender]
        return [frame[54 : 54 + size] for frame, size in sizes if size]


@pytest.fixture
def wire() -> Wire:
    return Wire(Network(Clock(SECOND), 1), host("client", 1), host("server", 2))


def test_a_request_is_cut_where_it_is_said_and_answered_once_it_is_whole(wire: Wire) -> None:
    exchange = Exchange(b"question", b"answer", cuts=(1, 5))
    wire.network.clock.start(
        converse(wire.network, wire.client, 1000, wire.server, PORT, [(SECOND, exchange)], MILLISECOND)
    )
    assert wire.payloads(wire.client) == [b"q", b"uest", b"ion"]
    assert wire.payloads(wire.server) == [b"answer"]


def test_a_header_counts_the_unit_and_the_pdu_unless_it_is_to_lie() -> None:
    request = WriteSingleRegisterRequest(address=4, registers=[9])
    assert adu(request, 258, unit=7) == bytes.fromhex("0102 0000 0006 07 06 0004 0009")
    assert adu(request, 1, protocol_id=5, length=0)[2:6] == bytes.fromhex("0005 0000")


def test_a_script_says_its_lines_in_turn_and_counts_them() -> None:
    script = Script(SECOND)
    write = WriteSingleRegisterRequest(address=4, registers=[9])
    script.ask(write, WriteSingleRegisterResponse(address=4, registers=[9]), then_ms=500)
    script.ask(write, refused(6, 2), unit=3, cuts=(4,), then_ms=250)
    script.ask(write, None)
    script.utter(b"GET /")
    assert [at for at, _ in script.exchanges] == [SECOND + ms * MILLISECOND for ms in (0, 500, 750, 1_750)]
    assert script.exchanges[1][1].response == adu(b"\x86\x02", 2, unit=3)
    assert operations("a", "b", script.said) == [Operations("a", "b", 6, asked=3, answered=2, exceptions=1)]


def test_what_a_tap_did_not_see_is_not_counted() -> None:
    said = [Said(1, 3, answered=True, asked=False), Said(2, 3, answered=False)]
    assert operations("a", "b", said) == [Operations("a", "b", 3, asked=1, answered=1, exceptions=0)]


@pytest.mark.parametrize(
    ("found", "flags"), [(Port.OPEN, ["S", "SA", "R"]), (Port.CLOSED, ["S", "RA"]), (Port.SILENT, ["S"])]
)
def test_a_knock_meets_what_the_port_is(wire: Wire, found: Port, flags: list[str]) -> None:
    Knock(wire.network, wire.client, 1000, wire.server, PORT, found).send()
    segments = [Ether(one.packet.frame)[TCP] for one in wire.run()]
    assert [str(segment.flags) for segment in segments] == flags
    if found is not Port.SILENT:
        assert segments[1].ack == segments[0].seq + 1


def test_a_ping_is_answered_by_who_is_there(wire: Wire) -> None:
    ping(wire.network, wire.client, wire.server, 5, answered=True)
    ping(wire.network, wire.client, nobody(wire.server, "10.0.2.9"), 6, answered=False)
    packets = [Ether(one.packet.frame) for one in wire.run()]
    assert [(packet[IP].dst, packet[ICMP].type, packet[ICMP].seq) for packet in packets] == [
        ("10.0.2.1", 8, 5),
        ("10.0.2.9", 8, 6),
        ("10.0.1.1", 0, 5),
    ]


def test_a_client_asks_by_broadcast_and_both_kinds_of_server_answer_it(wire: Wire) -> None:
    relay = nobody(wire.client, "10.0.1.254")
    client = DhcpClient(wire.network, wire.client, "panel", "maker", 77)
    lease = Lease("10.0.1.61", "10.0.1.254", "10.0.2.1")
    clock = wire.network.clock
    clock.after(0, client.discover)
    clock.after(MILLISECOND, partial(client.answered_by_relay, wire.server, relay, "offer", lease))
    clock.after(9 * MILLISECOND, partial(client.request, lease.ip, wire.server.ip))
    clock.after(12 * MILLISECOND, partial(client.answered_here, wire.server, "ack", lease))
    packets = [Ether(one.packet.frame) for one in wire.run()]
    assert {packet[BOOTP].xid for packet in packets} == {77}
    # DISCOVER, OFFER, REQUEST, ACK (RFC 2132, 9.6).
    assert [dict(packet[DHCP].options[:1])["message-type"] for packet in packets] == [1, 2, 3, 5]
    assert [packet[UDP].dport for packet in packets] == [67, 67, 67, 68]
    assert [packet[BOOTP].giaddr for packet in packets] == ["0.0.0.0", relay.ip, "0.0.0.0", "0.0.0.0"]  # noqa: S104
    assert [packet[IP].dst for packet in packets][1::2] == [relay.ip, "255.255.255.255"]


def test_a_failover_announces_the_same_mac_as_before(wire: Wire) -> None:
    mac = virtual_mac(15)
    advertise(wire.network, wire.client, 15, 200, "10.0.1.15")
    wire.network.clock.at(2 * SECOND, partial(gratuitous_arp, wire.network, wire.server, mac, "10.0.1.15"))
    said, announced = (Ether(one.packet.frame) for one in wire.run())
    assert mac == "00:00:5e:00:01:0f"
    assert (said.src, said[IP].ttl, said[VRRPv3].vrid, said[VRRPv3].addrlist) == (mac, 255, 15, ["10.0.1.15"])
    assert (announced.src, announced[ARP].hwsrc, announced[ARP].psrc, announced[ARP].pdst) == (
        mac,
        mac,
        "10.0.1.15",
        "10.0.1.15",
    )


def test_probes_cross_the_tap_a_leg_after_they_were_sent(wire: Wire) -> None:
    ping(wire.network, wire.client, wire.server, 1, answered=True)
    asked, answered = (one.ts_ns for one in wire.run())
    assert asked == SECOND + MILLISECOND
    assert answered - asked == 2 * MILLISECOND + 20 * MICROSECOND
