"""DHCP for IPv6: made by scapy, held against what Wireshark reads in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.dhcp6 import (
    DUID_LL,
    VENDOR_CLASS_DATA,
    DHCP6_InfoRequest,
    DHCP6_Reply,
    DHCP6_Solicit,
    DHCP6OptAuth,
    DHCP6OptClientFQDN,
    DHCP6OptClientId,
    DHCP6OptDNSServers,
    DHCP6OptElapsedTime,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptOptReq,
    DHCP6OptServerId,
    DHCP6OptVendorClass,
)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from tests.sensors.told import rows_of, told, written
from tests.support.wireshark import TSHARK, wireshark_fields

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

A, B = "02:00:5e:00:53:01", "02:00:5e:00:53:02"
CLIENT, SERVER = "fe80::a", "fe80::b"


def asks(message: Packet) -> Packet:
    to_all = Ether(src=A, dst="33:33:00:01:00:02") / IPv6(src=CLIENT, dst="ff02::1:2")
    return to_all / UDP(sport=546, dport=547) / message


def gives(message: Packet) -> Packet:
    return Ether(src=B, dst=A) / IPv6(src=SERVER, dst=CLIENT) / UDP(sport=547, dport=546) / message


def solicit() -> Packet:
    return (
        DHCP6_Solicit(trid=0x1234)
        / DHCP6OptClientId(duid=DUID_LL(lladdr="02:00:5e:00:53:99"))
        / DHCP6OptElapsedTime()
        / DHCP6OptIA_NA(iaid=7, ianaopts=[DHCP6OptIAAddress(addr="2001:db8::77")])
        / DHCP6OptOptReq(reqopts=[23, 24, 39])
        / DHCP6OptVendorClass(vcdata=[VENDOR_CLASS_DATA(data=b"PLC 4000")], enterprisenum=40_000)
        / DHCP6OptClientFQDN(fqdn="plc7.mine-a.example")
        / DHCP6OptAuth(authinfo=b"planted-dhcp-secret")
    )


def test_a_client_says_who_it_is_and_what_it_wants(tmp_path: Path) -> None:
    path = written(tmp_path / "dhcp6.pcap", [asks(solicit())])
    fields = (
        "dhcpv6.client_domain",
        "dhcpv6.requested_option_code",
        "dhcpv6.iaaddr.ip",
        "dhcpv6.vendorclass.data",
    )
    ((name, wanted, address, maker),) = wireshark_fields(path, "dhcpv6.msgtype == 1", *fields)
    assert {
        ("domain_name", "dhcp", "", CLIENT, name.rstrip(".")),
        ("dhcp_fingerprint", "dhcp", "", CLIENT, wanted),
        ("requested_address", "dhcp", "", CLIENT, address),
        ("vendor_class", "dhcp", "", CLIENT, maker),
    } <= told(path)
    assert "planted" not in str(rows_of(path, "observations"))
    # The identifier's card may be another one.
    assert not [one for one in told(path) if "02:00:5e:00:53:99" in str(one)]
    (flow,) = rows_of(path, "flows")
    assert (flow["service"], flow["confidence"]) == ("dhcp", "structure")


def test_a_server_and_the_name_servers_that_it_gives_have_their_roles(tmp_path: Path) -> None:
    duid = DUID_LL(lladdr=B)
    reply = DHCP6_Reply(trid=0x1234) / DHCP6OptClientId(duid=duid) / DHCP6OptServerId(duid=duid)
    reply /= DHCP6OptDNSServers(dnsservers=["2001:db8::53", "2001:db8::54"])
    path = written(tmp_path / "dhcp6.pcap", [asks(DHCP6_InfoRequest(trid=0x1234)), gives(reply)])
    ((servers,),) = wireshark_fields(path, "dhcpv6.msgtype == 7", "dhcpv6.dns_server")
    assert {("role", "dhcp", "", SERVER, "dhcp server")} | {
        ("role", "dhcp", "", server, "dns server") for server in servers.split(",")
    } <= told(path)


def test_what_is_cut_or_only_looks_like_it_tells_nothing(tmp_path: Path) -> None:
    whole = bytes(asks(solicit()))
    for length in range(62, len(whole), 7):
        frame = Ether(whole[:length])
        path = written(tmp_path / f"{length}.pcap", [frame])
        assert not [one for one in told(path) if one[1] == "dhcp"], length
