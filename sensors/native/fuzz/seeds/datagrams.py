"""Target `datagrams`: recorded datagrams of its ports, and made ones of what no sample capture has."""

from __future__ import annotations

from typing import Final

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import (
    DUID_LL,
    DHCP6_RelayForward,
    DHCP6_RelayReply,
    DHCP6_Reply,
    DHCP6_Solicit,
    DHCP6OptClientFQDN,
    DHCP6OptClientId,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptOptReq,
    DHCP6OptRelayMsg,
    DHCP6OptServerId,
)
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import UDP
from scapy.layers.netbios import NBNSHeader, NBNSQueryRequest, NBNSQueryResponse
from scapy.layers.ntp import NTPHeader
from scapy.layers.snmp import SNMP, SNMPget, SNMPresponse, SNMPtrapv2, SNMPvarbind
from scapy.packet import Packet

from sensors.native.fuzz.seeds.captures import runs

#: Who says something (1: the server), and what.
_Turn = tuple[int, bytes | Packet]

#: The ports of the target, in its order.
PORTS: Final = (53, 67, 123, 137, 138, 161, 1900, 5353, 5355, 502, 40_001, 547)

#: NetBIOS's name of a host (RFC 1001, 14.1), as a datagram has it between two of them (RFC 1002, 4.4.2).
_NAME: Final = b"\x20" + b"FAEMEDDB" + b"CA" * 12 + b"\0"
_DATAGRAM: Final = b"\x11\x02\0\x07\xc0\0\2\x01\0\x8a\0\x64\0\0" + _NAME * 2
#: A host announcement in a mailslot (MS-BRWS, 2.2.1).
_MAILSLOT: Final = (
    b"\xffSMB\x25"
    + bytes(27)
    + b"\x11\0\0\x21"
    + bytes(20)
    + b"\0\x21\0\x56\0\3\0\1\0\0\0\2\0\x32\0\\MAILSLOT\\BROWSE\0"
    b"\x01\0\x60\xea\0\0PLC1" + bytes(12) + b"\x0a\0\3\x10\1\0\x0f\1\x55\xaaline 1\0"
)

_NOTIFY: Final = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"
    b"SERVER: Acme/1.2 UPnP/1.1 X100/3\r\nUSN: uuid:1::upnp:rootdevice\r\nLOCATION: http://192.0.2.1/d.xml\r\n\r\n"
)


def made() -> list[bytes]:
    """The port's place; then for each datagram who sends it, its length in two bytes and its bytes."""
    return [_seed(port, turns) for port, turns in _talks()]


def recorded(packets: list[Packet]) -> list[bytes]:
    """Seeds of a capture: for each port runs of its datagrams, their first 2,047 bytes."""
    datagrams = [packet for packet in packets if UDP in packet]
    return [
        _seed(port, [(int(packet[UDP].sport == port), bytes(packet[UDP].payload)[:2047]) for packet in run])
        for port in PORTS
        for run in runs([one for one in datagrams if port in (one[UDP].sport, one[UDP].dport)])
    ]


def _seed(port: int, turns: list[_Turn]) -> bytes:
    seed = bytes([PORTS.index(port)])
    for side, said in turns:
        payload = bytes(said)
        seed += bytes([side]) + len(payload).to_bytes(2, "big") + payload
    return seed


def _talks() -> list[tuple[int, list[_Turn]]]:
    described = SNMPvarbind(oid="1.3.6.1.2.1.1.1.0", value=b"Acme X100, firmware 1.2")
    named = SNMPvarbind(oid="1.3.6.1.2.1.1.5.0", value=b"switch1")
    asked = [SNMPvarbind(oid="1.3.6.1.2.1.1.1.0"), SNMPvarbind(oid="1.3.6.1.2.1.1.5.0")]
    question, answer = DNSQR(qname="plc1.example"), DNSRR(rrname="plc1.example", rdata="192.0.2.1")
    lease = BOOTP(chaddr=b"\0\0\x5e\0\x53\1", xid=7)
    options = [("message-type", "request"), ("hostname", b"plc1"), ("vendor_class_id", b"Acme 1.2"), "end"]
    acknowledged = [("message-type", "ack"), ("server_id", "192.0.2.2"), ("router", "192.0.2.2"), "end"]
    names: list[_Turn] = [(0, DNS(id=7, qd=question)), (1, DNS(id=7, qr=1, qd=question, an=answer))]
    return [
        (547, _through_relays()),
        *((port, names) for port in (53, 5353, 5355)),
        (
            161,
            [
                (0, SNMP(PDU=SNMPget(varbindlist=asked))),
                (1, SNMP(PDU=SNMPresponse(varbindlist=[described, named]))),
            ],
        ),
        (
            161,
            [
                (0, SNMP(version=0, PDU=SNMPget(varbindlist=asked))),
                (0, SNMP(PDU=SNMPtrapv2(varbindlist=[named]))),
            ],
        ),
        # SNMPv3, whose user and engine are in clear (RFC 3412, 6).
        (
            161,
            [
                (
                    0,
                    bytes.fromhex(
                        "303e020103301102040102030402030100000401070201030410300e0400020100020100040004000400"
                        "30140400 0400a00e02040102030402010002010030 00"
                    ),
                )
            ],
        ),
        (
            137,
            [
                (0, NBNSHeader() / NBNSQueryRequest(QUESTION_NAME=b"PLC1")),
                (1, NBNSHeader() / NBNSQueryResponse()),
            ],
        ),
        # A status of a node with two names (RFC 1002, 4.2.18).
        (
            137,
            [
                (
                    1,
                    b"\0\7\x84\0\0\0\0\1\0\0\0\0"
                    + _NAME
                    + b"\0\x21\0\1\0\0\0\0\0\x2b\2"
                    + b"PLC1".ljust(15)
                    + b"\0\x04\0"
                    + b"GROUP".ljust(15)
                    + b"\0\x84\0"
                    + bytes(6),
                )
            ],
        ),
        (138, [(0, _DATAGRAM + _MAILSLOT)]),
        (1900, [(0, _NOTIFY), (0, b'M-SEARCH * HTTP/1.1\r\nMAN: "ssdp:discover"\r\nST: ssdp:all\r\n\r\n')]),
        (67, [(0, lease / DHCP(options=options)), (1, lease / DHCP(options=acknowledged))]),
        (123, [(0, NTPHeader(mode=3, orig=1, sent=1)), (1, NTPHeader(mode=4, stratum=1, orig=1, sent=1))]),
    ]


def _through_relays() -> list[_Turn]:
    """What a client of DHCP for IPv6 asks and is told, through one relay and through three."""
    card = DUID_LL(lladdr="02:00:5e:00:53:01")
    asked: Packet = DHCP6_Solicit() / DHCP6OptClientId(duid=card) / DHCP6OptIA_NA(iaid=7)
    asked /= DHCP6OptOptReq(reqopts=[23, 24]) / DHCP6OptClientFQDN(fqdn="plc7.example")
    address = DHCP6OptIAAddress(addr="2001:db8::77", preflft=60, validlft=60)
    told: Packet = DHCP6_Reply() / DHCP6OptClientId(duid=card) / DHCP6OptServerId(duid=card)
    told /= DHCP6OptIA_NA(iaid=7, ianaopts=[address])
    turns: list[_Turn] = [(0, asked), (1, told)]
    for hop in range(3):
        asked = DHCP6_RelayForward(hopcount=hop, peeraddr="fe80::a") / DHCP6OptRelayMsg(message=asked)
        told = DHCP6_RelayReply(hopcount=hop, peeraddr="fe80::a") / DHCP6OptRelayMsg(message=told)
        turns += [(0, asked), (1, told)] if hop != 1 else []
    return turns
