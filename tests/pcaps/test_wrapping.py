"""What a tap puts around a frame comes off again, and leaves the frame as it was."""

from __future__ import annotations

import pytest
from scapy.contrib.erspan import ERSPAN_II
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN

from pcaps.lab.synth.frames import SYN, Addresses, TcpTemplate, arp_request
from pcaps.lab.synth.wrapping import Wrap, double_vlan, erspan, gre, vlan, vxlan

ENDS = Addresses("00:00:5e:00:53:01", "00:00:5e:00:53:02", "10.0.0.1", "10.0.0.2")
FRAME = TcpTemplate(ENDS, 1000, 502, timestamps=False, mss=1460).frame(
    seq=1, ack=0, flags=SYN, ip_id=7, window=100, payload=b""
)


@pytest.mark.parametrize(("wrap", "layer"), [(erspan, ERSPAN_II), (vxlan, VXLAN)])
def test_a_tunnel_for_frames_carries_every_byte(wrap: Wrap, layer: type) -> None:
    assert bytes(Ether(wrap(FRAME, 3))[layer].payload) == FRAME


def test_gre_carries_the_packet_without_header_and_padding() -> None:
    outer = Ether(gre(FRAME, 3))
    assert bytes(outer[GRE].payload) == FRAME[14 : 14 + IP(FRAME[14:]).len]
    assert (outer[GRE].proto, outer[IP].src) == (0x0800, "192.0.2.2")


def test_gre_leaves_alone_what_is_no_packet() -> None:
    frame = arp_request("00:00:5e:00:53:01", "10.0.0.1", "10.0.0.2")
    assert gre(frame, 3) == frame
    assert Ether(frame)[ARP].pdst == "10.0.0.2"


def test_tags_stand_between_the_addresses_and_the_type() -> None:
    one, two = Ether(vlan(FRAME, 3)), Ether(double_vlan(FRAME, 3))
    assert (one[Dot1Q].vlan, bytes(one[IP])) == (60, bytes(Ether(FRAME)[IP]))
    assert (two[Dot1AD].vlan, two[Dot1Q].vlan, two[TCP].dport) == (900, 60, 502)


def test_a_tunnel_says_which_one_it_is() -> None:
    assert Ether(erspan(FRAME, 3))[ERSPAN_II].session_id == 17
    assert Ether(vxlan(FRAME, 3))[VXLAN].vni == 5060
    # One flow inside, one source port outside (RFC 7348, 5).
    assert Ether(vxlan(FRAME, 3))[UDP].sport == Ether(vxlan(FRAME, 4))[UDP].sport
