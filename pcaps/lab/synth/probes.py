"""Packets that look for what is there: a SYN to a port, an echo request; and what comes back.

RFC 9293, 3.10.7 (what a closed port answers) and RFC 792 (echo).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from pcaps.lab.synth.frames import ACK, MINIMUM_FRAME, RST, SYN, TcpTemplate
from pcaps.lab.synth.network import TURNAROUND_NS, Host, Network, Packet
from pcaps.lab.synth.tcp import MSS

#: What scanners of half-open ports send as their window.
_WINDOW: Final = 1_024
_ECHO_DATA: Final = bytes(range(32))
_ECHO_REQUEST: Final = 8
_ECHO_REPLY: Final = 0
_ECHO_ID: Final = 0x1D


class Port(Enum):
    """What a knock on a port meets."""

    OPEN = "open"
    CLOSED = "closed"
    #: Nothing answers: a filter, or no station at all.
    SILENT = "silent"


def nobody(like: Host, ip: str) -> Host:
    """An address of a station's network that no station has."""
    return replace(like, name=ip, ip=ip)


@dataclass(slots=True)
class Knock:
    """A SYN to a port. An open port's SYN-ACK is met with a reset: no connection comes of it."""

    network: Network
    client: Host
    client_port: int
    server: Host
    server_port: int
    found: Port
    _flow: str = ""
    _ours: int = 0
    _theirs: int = 0

    def send(self) -> None:
        """Knock, now."""
        client, server = self.client.name, self.server.name
        self._flow = f"{client}:{self.client_port}>{server}:{self.server_port}@{self.network.clock.now_ns}"
        chance = random.Random(f"{self.network.seed}/knock/{self._flow}")
        self._ours, self._theirs = chance.getrandbits(32), chance.getrandbits(32)
        self._from_client(SYN, self._ours, 0)

    def _from_client(self, flags: int, seq: int, ack: int) -> None:
        packet = self._packet(self.client, self.server, (self.client_port, self.server_port), flags, seq, ack)
        reached = self._answer if flags & SYN else _nothing
        self.network.send(self.client, self.server, packet, reached)

    def _answer(self) -> None:
        if self.found is not Port.SILENT:
            self.network.clock.after(TURNAROUND_NS, self._from_server)

    def _from_server(self) -> None:
        is_open = self.found is Port.OPEN
        flags, seq = (SYN | ACK, self._theirs) if is_open else (RST | ACK, 0)
        packet = self._packet(
            self.server, self.client, (self.server_port, self.client_port), flags, seq, self._ours + 1
        )
        self.network.send(self.server, self.client, packet, self._reset if is_open else _nothing)

    def _reset(self) -> None:
        self.network.clock.after(TURNAROUND_NS, lambda: self._from_client(RST, self._ours + 1, 0))

    def _packet(
        self, sender: Host, receiver: Host, ports: tuple[int, int], flags: int, seq: int, ack: int
    ) -> Packet:
        template = TcpTemplate(self.network.addresses(sender, receiver), *ports, timestamps=False, mss=MSS)
        frame = template.frame(
            seq=seq, ack=ack, flags=flags, ip_id=sender.next_ip_id(), window=_WINDOW, payload=b""
        )
        return Packet(frame, self._flow, 0, flags, seq, ack)


def ping(network: Network, client: Host, server: Host, number: int, *, answered: bool) -> None:
    """An echo request, now, and its reply where there is one."""
    flow = f"icmp/{client.name}>{server.name}@{network.clock.now_ns}"

    def packet(sender: Host, receiver: Host, kind: int) -> Packet:
        ends = network.addresses(sender, receiver)
        frame = (
            Ether(src=ends.src_mac, dst=ends.dst_mac)
            / IP(src=ends.src_ip, dst=ends.dst_ip, ttl=ends.ttl, id=sender.next_ip_id())
            / ICMP(type=kind, id=_ECHO_ID, seq=number)
            / Raw(_ECHO_DATA)
        )
        return Packet(bytes(frame).ljust(MINIMUM_FRAME, b"\x00"), flow)

    def reached() -> None:
        if answered:
            reply = packet(server, client, _ECHO_REPLY)
            network.clock.after(TURNAROUND_NS, lambda: network.send(server, client, reply, _nothing))

    network.send(client, server, packet(client, server, _ECHO_REQUEST), reached)


def _nothing() -> None:
    """What comes of a packet that ends a conversation."""
