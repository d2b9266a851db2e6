"""Queries and answers: made by scapy, held against what Wireshark reads in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRRSRV
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.sensors.told import rows_of, told, written
from tests.support.wireshark import TSHARK, wireshark_fields

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

A, B = "02:00:5e:00:53:01", "02:00:5e:00:53:02"
CLIENT, SERVER = "10.0.0.1", "10.0.0.53"


def asks(name: str, kind: str = "A", number: int = 7, port: int = 40_000) -> Ether:
    query = DNS(id=number, rd=1, qd=DNSQR(qname=name, qtype=kind))
    return Ether(src=A, dst=B) / IP(src=CLIENT, dst=SERVER) / UDP(sport=port, dport=53) / query


def answers(name: str, kind: str = "A", number: int = 7, rcode: int = 0, *records: object) -> Ether:
    told = DNS(id=number, qr=1, aa=1, rcode=rcode, qd=DNSQR(qname=name, qtype=kind), an=list(records))
    return Ether(src=B, dst=A) / IP(src=SERVER, dst=CLIENT) / UDP(sport=53, dport=40_000) / told


def test_a_query_and_its_answer_are_one_row(tmp_path: Path) -> None:
    records = [
        DNSRR(rrname="hist.mine.example", type="CNAME", rdata="db1.mine.example", ttl=60),
        DNSRR(rrname="db1.mine.example", type="A", rdata="10.0.0.80", ttl=60),
    ]
    path = written(
        tmp_path / "dns.pcap", [asks("hist.mine.example"), answers("hist.mine.example", "A", 7, 0, *records)]
    )
    names = ("dns.id", "dns.qry.name", "dns.flags.rcode", "dns.flags.authoritative", "dns.count.answers")
    ((number, name, rcode, authoritative, count, cname, address, time),) = wireshark_fields(
        path, "dns.flags.response == 1", *names, "dns.cname", "dns.a", "dns.time"
    )
    (row,) = rows_of(path, "dns")
    assert row["transaction_id"] == int(number, 16)
    assert (row["query"], row["query_type"]) == (name, "A")
    assert row["rcode"] == int(rcode)
    assert row["authoritative"] == (authoritative in ("1", "True"))
    assert row["answer_count"] == int(count)
    assert row["answers"] == [cname, address]
    assert row["latency_ns"] == pytest.approx(float(time) * 1e9, abs=1)
    assert (row["outcome"], row["service"], row["confidence"]) == ("answered", "dns", "structure")
    assert (row["request_frame"], row["response_frame"]) == (1, 2)
    assert told(path) == {
        ("role", "dns", "", SERVER, "dns server"),
        ("domain_name", "dns", "", address, name),
    }


def test_every_kind_of_answer_says_what_wireshark_reads(tmp_path: Path) -> None:
    name = "a.example"
    records = [
        DNSRR(rrname=name, type="AAAA", rdata="2001:db8::7"),
        DNSRRMX(rrname=name, preference=10, exchange="mail.example"),
        DNSRRSRV(rrname=name, priority=1, weight=2, port=4840, target="ua.example"),
        DNSRR(rrname=name, type="TXT", rdata=[b"v=1", b"x y"]),
        DNSRR(rrname=name, type="NS", rdata="ns1.example"),
    ]
    path = written(tmp_path / "kinds.pcap", [asks(name, "ALL"), answers(name, "ALL", 7, 0, *records)])
    names = ("dns.aaaa", "dns.mx.mail_exchange", "dns.srv.target", "dns.srv.port", "dns.txt", "dns.ns")
    ((aaaa, mx, target, port, txt, ns),) = wireshark_fields(path, "dns.flags.response == 1", *names)
    (row,) = rows_of(path, "dns")
    assert row["query_type"] == "ANY"
    assert row["answers"] == [aaaa, f"10 {mx}", f"{target}:{port}", txt.replace(",", " "), ns]


def test_no_such_name_is_an_answer(tmp_path: Path) -> None:
    path = written(tmp_path / "no.pcap", [asks("gone.example"), answers("gone.example", "A", 7, 3)])
    (row,) = rows_of(path, "dns")
    assert (row["outcome"], row["rcode"], row["answers"]) == ("answered", 3, [])


def test_what_is_not_asked_is_an_orphan_and_what_is_not_answered_says_so(tmp_path: Path) -> None:
    spoofed = answers("a.example", "A", 9, 0, DNSRR(rrname="a.example", type="A", rdata="10.6.6.6"))
    late = asks("late.example", port=50_000)
    path = written(tmp_path / "two.pcap", [asks("a.example"), spoofed, late])
    assert [(row["query"], row["outcome"]) for row in rows_of(path, "dns")] == [
        ("a.example", "orphan"),
        ("a.example", "pending"),
        ("late.example", "pending"),
    ]


def test_a_name_that_points_at_itself_is_an_anomaly(tmp_path: Path) -> None:
    # A query whose name is read, and an answer whose name is a pointer to itself.
    header = bytes.fromhex("0007 8180 0001 0001 0000 0000".replace(" ", ""))
    question = b"\x01a\x07example\0\0\x01\0\x01"
    looped = header + question + b"\xc0" + bytes([len(header) + len(question)]) + b"\0\x01\0\x01" + bytes(10)
    frame = Ether(src=B, dst=A) / IP(src=SERVER, dst=CLIENT) / UDP(sport=53, dport=40_000) / looped
    path = written(tmp_path / "loop.pcap", [asks("a.example"), frame])
    assert [row["kind"] for row in rows_of(path, "anomalies")] == ["name_loop"]
    assert [
        row["kind"] for row in rows_of(written(tmp_path / "sane.pcap", [asks("a.example")]), "anomalies")
    ] == []


def test_over_tcp_messages_have_their_length_before_them(tmp_path: Path) -> None:
    up: dict[str, Any] = {"sport": 40_000, "dport": 53}
    down: dict[str, Any] = {"sport": 53, "dport": 40_000}
    there, back = IP(src=CLIENT, dst=SERVER), IP(src=SERVER, dst=CLIENT)
    query = bytes(DNS(id=5, qd=DNSQR(qname="big.example", qtype="A")))
    record = DNSRR(rrname="big.example", type="A", rdata="10.0.0.81")
    reply = bytes(DNS(id=5, qr=1, qd=DNSQR(qname="big.example", qtype="A"), an=[record]))
    asked, told_ = len(query).to_bytes(2, "big") + query, len(reply).to_bytes(2, "big") + reply
    ether = Ether(src=A, dst=B)
    frames = [
        ether / there / TCP(flags="S", seq=1, **up),
        ether / back / TCP(flags="SA", seq=1, ack=2, **down),
        ether / there / TCP(flags="A", seq=2, ack=2, **up),
        ether / there / TCP(flags="PA", seq=2, ack=2, **up) / asked,
        # The answer is cut inside its length.
        ether / back / TCP(flags="PA", seq=2, ack=2 + len(asked), **down) / told_[:1],
        ether / back / TCP(flags="PA", seq=3, ack=2 + len(asked), **down) / told_[1:],
    ]
    path = written(tmp_path / "tcp.pcap", frames)
    (row,) = rows_of(path, "dns")
    ((address,),) = wireshark_fields(path, "dns.flags.response == 1", "dns.a")
    assert (row["outcome"], row["answers"], row["response_frame"]) == ("answered", [address], 6)


def test_multicast_dns_announces_names_and_services(tmp_path: Path) -> None:
    records = [
        DNSRR(rrname="_opcua-tcp._tcp.local", type="PTR", rdata="Kepware._opcua-tcp._tcp.local"),
        DNSRR(rrname="eng-ws.local", type="A", rdata="10.0.0.21"),
    ]
    frame = (
        Ether(src=A, dst="01:00:5e:00:00:fb")
        / IP(src="10.0.0.21", dst="224.0.0.251", ttl=255)
        / UDP(sport=5353, dport=5353)
        / DNS(id=0, qr=1, aa=1, qd=[], an=records)
    )
    path = written(tmp_path / "mdns.pcap", [frame])
    ((pointer, address),) = wireshark_fields(path, "mdns", "dns.ptr.domain_name", "dns.a")
    (row,) = rows_of(path, "dns")
    assert (row["service"], row["outcome"], row["query_type"]) == ("mdns", "one_way", "PTR")
    assert row["answers"] == [pointer, address]
    assert told(path) == {
        ("service", "mdns", "", "10.0.0.21", "_opcua-tcp._tcp"),
        ("host_name", "mdns", "", address, "eng-ws.local"),
    }


def test_a_reverse_query_names_an_address(tmp_path: Path) -> None:
    name = "80.0.0.10.in-addr.arpa"
    record = DNSRR(rrname=name, type="PTR", rdata="hist.mine.example")
    path = written(tmp_path / "ptr.pcap", [asks(name, "PTR"), answers(name, "PTR", 7, 0, record)])
    assert ("domain_name", "dns", "", "10.0.0.80", "hist.mine.example") in told(path)


def test_on_another_port_a_whole_message_is_known_and_noise_is_not(tmp_path: Path) -> None:
    query = DNS(id=3, rd=1, qd=DNSQR(qname="plc.example", qtype="A"))
    ip = Ether(src=A, dst=B) / IP(src=CLIENT, dst=SERVER)
    frames = [
        ip / UDP(sport=40_000, dport=5_300) / query,
        ip / UDP(sport=40_001, dport=5_300) / (bytes(query) + b"x"),
    ]
    path = written(tmp_path / "port.pcap", frames)
    assert sorted((row["client_port"], row["service"]) for row in rows_of(path, "flows")) == [
        (40_000, "dns"),
        (40_001, ""),
    ]
