"""DHCP for IPv6: made by scapy, held against what Wireshark reads in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.dhcp6 import (
    DUID_EN,
    DUID_LL,
    DUID_LLT,
    DUID_UUID,
    VENDOR_CLASS_DATA,
    DHCP6_InfoRequest,
    DHCP6_RelayForward,
    DHCP6_RelayReply,
    DHCP6_Reply,
    DHCP6_Solicit,
    DHCP6OptAuth,
    DHCP6OptClientFQDN,
    DHCP6OptClientId,
    DHCP6OptDNSServers,
    DHCP6OptElapsedTime,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptIfaceId,
    DHCP6OptOptReq,
    DHCP6OptRelayMsg,
    DHCP6OptServerId,
    DHCP6OptStatusCode,
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
        ("duid", "dhcp", "", CLIENT, "LL 02005e005399"),
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


@pytest.mark.parametrize(
    ("duid", "wanted"),
    [
        (DUID_LLT(lladdr=A, timeval=788_529_153), "LLT 02005e005301 at 788529153"),
        (DUID_LL(lladdr=A), "LL 02005e005301"),
        (DUID_EN(enterprisenum=40_000, id=b"plc-7"), "EN 40000 706c632d37"),
        (
            DUID_UUID(uuid="00010203-0405-0607-0809-0a0b0c0d0e0f"),
            "UUID 00010203-0405-0607-0809-0a0b0c0d0e0f",
        ),
    ],
)
def test_a_client_s_identifier_is_told_by_its_kind(tmp_path: Path, duid: Packet, wanted: str) -> None:
    path = written(tmp_path / "dhcp6.pcap", [asks(DHCP6_InfoRequest(trid=1) / DHCP6OptClientId(duid=duid))])
    ((octets, card, number, identifier, uuid),) = wireshark_fields(
        path,
        "dhcpv6.msgtype == 11",
        "dhcpv6.duid.bytes",
        "dhcpv6.duidll.link_layer_addr",
        "dhcpv6.duiden.enterprise",
        "dhcpv6.duiden.identifier",
        "dhcpv6.duiduuid.bytes",
    )
    (text,) = [value for kind, *_, value in told(path) if kind == "duid"]
    assert text == wanted
    content = text.split(" ")[2 if text.startswith("EN") else 1].replace("-", "")
    # Wireshark names some parts of it alone, and shows all of it as bytes.
    known = [part.replace(":", "") for part in (octets, card, identifier, uuid) if part]
    assert any(content in part for part in known), known
    assert not number or number.split()[0] in text


def given(address: str, lifetime: int = 3_600, *, status: int = 0) -> Packet:
    """An answer that gives an address, or does not."""
    duid = DUID_LL(lladdr=B)
    one = DHCP6OptIAAddress(addr=address, preflft=lifetime, validlft=lifetime)
    options = [one, DHCP6OptStatusCode(statuscode=status)] if status else [one]
    reply = DHCP6_Reply(trid=0x1234) / DHCP6OptClientId(duid=DUID_LL(lladdr=A)) / DHCP6OptServerId(duid=duid)
    return gives(reply / DHCP6OptIA_NA(iaid=7, ianaopts=options))


def test_an_address_that_is_given_belongs_to_the_client_and_its_identifier(tmp_path: Path) -> None:
    path = written(tmp_path / "dhcp6.pcap", [asks(solicit()), given("2001:db8::77")])
    ((address,),) = wireshark_fields(path, "dhcpv6.msgtype == 7", "dhcpv6.iaaddr.ip")
    assert {
        ("given_address", "dhcp", "", CLIENT, address),
        ("duid", "dhcp", "", address, "LL 02005e005301"),
    } <= told(path)


@pytest.mark.parametrize(
    "answer",
    [
        given("2001:db8::77", lifetime=0),
        given("2001:db8::77", status=2),
        given("::"),
        given("ff02::1"),
    ],
)
def test_an_address_that_is_taken_back_or_refused_is_given_to_nobody(tmp_path: Path, answer: Packet) -> None:
    path = written(tmp_path / "dhcp6.pcap", [asks(solicit()), answer])
    assert not [one for one in told(path) if one[0] == "given_address"]
    assert ("role", "dhcp", "", SERVER, "dhcp server") in told(path)


def test_what_is_cut_or_only_looks_like_it_tells_nothing(tmp_path: Path) -> None:
    whole = bytes(asks(solicit()))
    for length in range(62, len(whole), 7):
        frame = Ether(whole[:length])
        path = written(tmp_path / f"{length}.pcap", [frame])
        assert not [one for one in told(path) if one[1] == "dhcp"], length


RELAY, RELAYS_SERVER = "2001:db8:1::1", "2001:db8:2::53"


def forwarded(message: Packet, hops: int = 1) -> Packet:
    """A client's message through so many relays: the first heard the client, each other one the one before."""
    for hop in range(hops):
        header = DHCP6_RelayForward(
            hopcount=hop, linkaddr="2001:db8:1::1", peeraddr=CLIENT if hop == 0 else "fe80::7"
        )
        message = header / DHCP6OptIfaceId(ifaceid=b"port-7") / DHCP6OptRelayMsg(message=message)
    return Ether(src=A, dst=B) / IPv6(src=RELAY, dst=RELAYS_SERVER) / UDP(sport=547, dport=547) / message


def returned(message: Packet, hops: int = 1) -> Packet:
    """A server's answer, the same way back."""
    for hop in range(hops):
        header = DHCP6_RelayReply(
            hopcount=hop, linkaddr="2001:db8:1::1", peeraddr=CLIENT if hop == 0 else "fe80::7"
        )
        message = header / DHCP6OptRelayMsg(message=message)
    return Ether(src=B, dst=A) / IPv6(src=RELAYS_SERVER, dst=RELAY) / UDP(sport=547, dport=547) / message


@pytest.mark.parametrize("hops", [1, 3, 9])
def test_what_relays_carry_is_told_of_the_client_and_not_of_a_relay(tmp_path: Path, hops: int) -> None:
    answer = given("2001:db8::77")[UDP].payload
    frames = [forwarded(solicit(), hops), returned(answer, hops)]
    path = written(tmp_path / "relayed.pcap", frames)
    fields = ("dhcpv6.peeraddr", "dhcpv6.client_domain", "dhcpv6.iaaddr.ip")
    asked, answered = wireshark_fields(path, "dhcpv6", *fields)
    # Wireshark lists the outermost relay first.
    client, name, wanted = asked[0].split(",")[-1], asked[1], asked[2]
    assert (client, answered[0].split(",")[-1]) == (CLIENT, CLIENT)
    said = {one for one in told(path) if one[1] == "dhcp"}
    assert said == {
        ("domain_name", "dhcp", "", client, name.rstrip(".")),
        ("dhcp_fingerprint", "dhcp", "", client, "23,24,39"),
        ("requested_address", "dhcp", "", client, wanted),
        ("vendor_class", "dhcp", "", client, "PLC 4000"),
        ("duid", "dhcp", "", client, "LL 02005e005399"),
        ("given_address", "dhcp", "", client, answered[2]),
        ("duid", "dhcp", "", answered[2], "LL 02005e005301"),
        ("role", "dhcp", "", RELAYS_SERVER, "dhcp server"),
    }
    assert "planted" not in str(rows_of(path, "observations"))
    (flow,) = rows_of(path, "flows")
    assert (flow["service"], flow["confidence"]) == ("dhcp", "structure")
    assert flow["role_source"] == "protocol"


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(forwarded(solicit(), 10), id="more relays than there can be"),
        pytest.param(forwarded(given("2001:db8::77")[UDP].payload), id="a server's words on a client's way"),
        pytest.param(returned(solicit()), id="a client's words on a server's way"),
        pytest.param(forwarded(returned(solicit())[UDP].payload), id="both ways at once"),
    ],
)
def test_what_no_relay_carries_tells_nothing(tmp_path: Path, frame: Packet) -> None:
    assert not [one for one in told(written(tmp_path / "odd.pcap", [frame])) if one[1] == "dhcp"]


def test_a_relay_s_lengths_that_are_wrong_tell_nothing(tmp_path: Path) -> None:
    whole = bytes(forwarded(solicit(), 2))
    frames = [Ether(whole[:length]) for length in range(62, len(whole), 11)]
    # Behind Ethernet, IPv6, UDP and the outer relay's header comes the length of its first option, and so on.
    for place in (98, 108, 110 + 34 + 2):
        changed = bytearray(whole)
        changed[place : place + 2] = b"\xff\xf0"
        frames.append(Ether(bytes(changed)))
    for number, frame in enumerate(frames):
        path = written(tmp_path / f"{number}.pcap", [frame])
        assert not [one for one in told(path) if one[1] == "dhcp"], number
