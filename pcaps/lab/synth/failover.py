"""Two controllers with one address: VRRP (RFC 5798), and the ARP that says where the address is now."""

from __future__ import annotations

from typing import Final

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.layers.vrrp import VRRPv3

from pcaps.lab.synth.frames import MINIMUM_FRAME, arp_request
from pcaps.lab.synth.network import Host, Network

_VRRP_GROUP: Final = "224.0.0.18"
_VRRP_GROUP_MAC: Final = "01:00:5e:00:00:12"
_VRRP: Final = 112
#: A receiver drops what came over a router (RFC 5798, 5.1.1.3).
_HOPS: Final = 255
#: A second between advertisements, in hundredths (5.2.7).
_INTERVAL_CS: Final = 100


def virtual_mac(router_id: int) -> str:
    """The MAC address that a group's address has, whoever answers for it (RFC 5798, 7.3)."""
    return f"00:00:5e:00:01:{router_id:02x}"


def advertise(network: Network, master: Host, router_id: int, priority: int, address: str) -> None:
    """The master says that it is there; priority 0 says that it gives up (6.4.3)."""
    packet = (
        Ether(src=virtual_mac(router_id), dst=_VRRP_GROUP_MAC)
        / IP(src=master.ip, dst=_VRRP_GROUP, ttl=_HOPS, proto=_VRRP, id=master.next_ip_id())
        / VRRPv3(vrid=router_id, priority=priority, addrlist=[address], adv=_INTERVAL_CS)
    )
    network.broadcast(master, bytes(packet).ljust(MINIMUM_FRAME, b"\x00"))


def gratuitous_arp(network: Network, sender: Host, mac: str, address: str) -> None:
    """`address` is at `mac`, to everyone and unasked (RFC 5227, 2.3; RFC 5798, 6.4.2)."""
    network.broadcast(sender, arp_request(mac, address, address))
