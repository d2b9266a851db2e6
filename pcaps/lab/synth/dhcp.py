"""Addresses given and taken: DHCP as a client, a server and a relay say it (RFC 2131, RFC 2132, RFC 3046 left out).

On the SPAN port shows what reaches the router: a client's broadcasts, what a server behind the router tells the
relay, and what a server in the client's own network broadcasts. What the relay itself sends on does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from pcaps.lab.synth.frames import BROADCAST, MINIMUM_FRAME
from pcaps.lab.synth.network import Host, Network, Packet

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
_LIMITED_BROADCAST: Final = "255.255.255.255"
_NO_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - no address yet (RFC 2131, 4.1)
#: The client asks for answers by broadcast: it cannot take a unicast before it has an address (RFC 2131, 4.1).
_BROADCAST_FLAG: Final = 0x8000
_LEASE_S: Final = 3_600

Options = list[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Lease:
    """What a server gives: an address, and who routes and names."""

    ip: str
    router: str
    names: str


@dataclass(frozen=True, slots=True)
class DhcpClient:
    """A station that asks for an address; `transaction` joins what belongs together."""

    network: Network
    host: Host
    name: str
    vendor_class: str
    transaction: int

    def discover(self) -> None:
        """Ask who gives addresses here."""
        self._broadcast([("message-type", "discover"), *self._self()])

    def request(self, ip: str, server: str) -> None:
        """Take the address that this server offered."""
        self._broadcast(
            [("message-type", "request"), ("requested_addr", ip), ("server_id", server), *self._self()]
        )

    def reboot(self, ip: str) -> None:
        """Ask, after a restart, for the address that it had (RFC 2131, 3.2)."""
        self._broadcast([("message-type", "request"), ("requested_addr", ip), *self._self()])

    def _self(self) -> Options:
        return [
            ("hostname", self.name),
            ("vendor_class_id", self.vendor_class),
            ("param_req_list", [1, 3, 6, 15, 51]),
        ]

    def _broadcast(self, options: Options) -> None:
        message = self._message(1, options)
        packet = (
            Ether(src=self.host.mac, dst=BROADCAST)
            / IP(src=_NO_ADDRESS, dst=_LIMITED_BROADCAST, id=self.host.next_ip_id())
            / UDP(sport=CLIENT_PORT, dport=SERVER_PORT)
            / message
        )
        self.network.broadcast(self.host, bytes(packet).ljust(MINIMUM_FRAME, b"\x00"))

    def _message(
        self, operation: int, options: Options, *, given: str = _NO_ADDRESS, relay: str = _NO_ADDRESS
    ) -> BOOTP:
        return BOOTP(
            op=operation,
            xid=self.transaction,
            flags=_BROADCAST_FLAG,
            yiaddr=given,
            giaddr=relay,
            chaddr=bytes.fromhex(self.host.mac.replace(":", "")),
        ) / DHCP(options=[*options, "end"])

    def answered_here(self, server: Host, kind: str, lease: Lease) -> None:
        """A server in the client's own network answers, by broadcast."""
        packet = (
            Ether(src=server.mac, dst=BROADCAST)
            / IP(src=server.ip, dst=_LIMITED_BROADCAST, id=server.next_ip_id())
            / UDP(sport=SERVER_PORT, dport=CLIENT_PORT)
            / self._message(2, _offered(server.ip, kind, lease), given=lease.ip)
        )
        self.network.broadcast(server, bytes(packet))

    def answered_by_relay(self, server: Host, relay: Host, kind: str, lease: Lease) -> None:
        """A server of another network answers the relay in the client's (RFC 2131, 4.1)."""
        ends = self.network.addresses(server, relay)
        packet = (
            Ether(src=ends.src_mac, dst=ends.dst_mac)
            / IP(src=server.ip, dst=relay.ip, id=server.next_ip_id())
            / UDP(sport=SERVER_PORT, dport=SERVER_PORT)
            / self._message(2, _offered(server.ip, kind, lease), given=lease.ip, relay=relay.ip)
        )
        flow = f"dhcp/{server.name}>{relay.name}@{self.network.clock.now_ns}"
        self.network.send(server, relay, Packet(bytes(packet), flow, len(packet[UDP].payload)), lambda: None)


def _offered(server: str, kind: str, lease: Lease) -> Options:
    return [
        ("message-type", kind),
        ("server_id", server),
        ("lease_time", _LEASE_S),
        ("subnet_mask", "255.255.255.0"),
        ("router", lease.router),
        ("name_server", lease.names),
    ]
