"""Protocols that are named and classed cheaply: MMS, FINS, SLMP, ADS, HART-IP, PROFINET's connection setup, PubSub."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.sensors.conversations import Turn, capture, read, tshark
from tests.sensors.operations.packets import datagrams
from tests.sensors.talks import Rows, write_pcap


def tpkt(body: bytes) -> bytes:
    return struct.pack(">BBH", 3, 0, 4 + len(body)) + body


def tlv(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


CONNECT = tpkt(b"\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\0\1\xc2\2\0\1")
CONFIRM = tpkt(b"\x11\xd0\0\1\0\2\0\xc0\1\x0a\xc1\2\0\1\xc2\2\0\1")


def mms(pdu: bytes) -> bytes:
    """Session data transfer, presentation context 3, a single ASN.1 type (ISO 8327, 8823)."""
    presentation = tlv(0x61, tlv(0x30, tlv(2, b"\3") + tlv(0xA0, pdu)))
    return tpkt(b"\x02\xf0\x80" + b"\1\0\1\0" + presentation)


def operations(rows: Rows) -> list[tuple[str, str, str, str]]:
    return [
        (row["operation"], row["operation_class"], row["object"], row["outcome"])
        for row in rows["operations"]
    ]


def test_mms_services_are_named_with_what_they_name(tmp_path: Path) -> None:
    variable = tlv(0x30, tlv(0xA0, tlv(0xA1, tlv(0x1A, b"IED1") + tlv(0x1A, b"GGIO1$ST$Ind1"))))
    read_request = tlv(0xA0, tlv(2, b"\1") + tlv(0xA4, tlv(0xA1, tlv(0xA0, variable))))
    read_answer = tlv(0xA1, tlv(2, b"\1") + tlv(0xA4, tlv(0xA1, tlv(0x83, b"\xff"))))
    write_request = tlv(0xA0, tlv(2, b"\2") + tlv(0xA5, tlv(0xA0, variable) + tlv(0xA0, tlv(0x83, b"\1"))))
    write_answer = tlv(0xA1, tlv(2, b"\2") + tlv(0xA5, tlv(0x80, b"\3")))
    identify = tlv(0xA0, tlv(2, b"\3") + tlv(0x82, b""))
    identity = tlv(0x80, b"Acme") + tlv(0x81, b"Relay 7") + tlv(0x82, b"1.4")
    identified = tlv(0xA1, tlv(2, b"\3") + tlv(0xA2, identity))
    turns: list[Turn] = [
        ("client", CONNECT),
        ("server", CONFIRM),
        ("client", mms(read_request)),
        ("server", mms(read_answer)),
        ("client", mms(write_request)),
        ("server", mms(write_answer)),
        ("client", mms(identify)),
        ("server", mms(identified)),
    ]
    file = capture(tmp_path / "mms.pcap", turns, 102)
    rows = read(file)
    assert operations(rows) == [
        ("connect", "session", "TSAP 0001 to 0001", "answered"),
        ("read", "read", "IED1/GGIO1$ST$Ind1", "answered"),
        ("write", "write", "IED1/GGIO1$ST$Ind1", "exception"),
        ("identify", "discover", "", "answered"),
    ]
    assert [row["service"] for row in rows["operations"]] == ["iso-tcp", "mms", "mms", "mms"]
    assert rows["flows"][0]["service"] == "mms"
    told = {row["kind"]: row["value"] for row in rows["observations"] if row["source"] == "mms"}
    assert told == {"vendor": "Acme", "model": "Relay 7", "firmware": "1.4"}
    assert not tshark(file, "_ws.malformed", "frame.number")


def fins(control: int, command: bytes, data: bytes = b"", *, sid: int = 7) -> bytes:
    return bytes([control, 0, 2, 0, 1, 0, 0, 2, 0, sid]) + command + data


FINS: list[Turn] = [
    ("client", fins(0x80, b"\1\1", b"\x82\0\x64\0\0\2")),
    ("server", fins(0xC0, b"\1\1", b"\0\0\0\5\0\6")),
    ("client", fins(0x80, b"\1\2", b"\x82\0\x64\0\0\1\0\7", sid=8)),
    ("server", fins(0xC0, b"\1\2", b"\x21\1", sid=8)),
    ("client", fins(0x80, b"\4\2", sid=9)),
    ("server", fins(0xC0, b"\4\2", b"\0\0", sid=9)),
    ("client", fins(0x80, b"\5\1", b"\0", sid=10)),
    ("server", fins(0xC0, b"\5\1", b"\0\0" + b"CJ2M-CPU33".ljust(20) + b"02.01".ljust(20), sid=10)),
]
FINS_SAID = [
    ("read memory area", "read", "D100", "answered"),
    ("write memory area", "write", "D100", "exception"),
    ("stop", "stop", "", "answered"),
    ("read controller data", "discover", "", "answered"),
]


def fins_over_tcp(turns: list[Turn]) -> list[Turn]:
    return [(side, b"FINS" + struct.pack(">III", 8 + len(said), 2, 0) + said) for side, said in turns]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_fins_commands_are_what_wireshark_says(tmp_path: Path, transport: str) -> None:
    if transport == "tcp":
        file = capture(tmp_path / "fins.pcap", fins_over_tcp(FINS), 9_600)
    else:
        file = write_pcap(tmp_path / "fins.pcap", datagrams(FINS, 9_600))
    rows = read(file)
    assert operations(rows) == FINS_SAID
    assert rows["operations"][1]["error_code"] == 0x2101
    told = {row["kind"]: row["value"] for row in rows["observations"] if row["source"] == "fins"}
    assert told == {"model": "CJ2M-CPU33", "firmware": "02.01"}
    shown = tshark(file, "omron.command", "omron.command")
    assert [int(code, 16) for (code,) in shown] == [c for c in (0x101, 0x102, 0x402, 0x501) for _ in "12"]


def slmp(subheader: bytes, body: bytes) -> bytes:
    return subheader + b"\0\xff\xff\3\0" + struct.pack("<H", len(body)) + body


def slmp_request(command: int, data: bytes = b"", sub: int = 0) -> bytes:
    return slmp(b"\x50\0", struct.pack("<HHH", 16, command, sub) + data)


def slmp_answer(code: int = 0, data: bytes = b"") -> bytes:
    return slmp(b"\xd0\0", struct.pack("<H", code) + data)


def test_slmp_commands_are_named(tmp_path: Path) -> None:
    turns: list[Turn] = [
        ("client", slmp_request(0x0401, b"\x64\0\0\xa8\2\0")),
        ("server", slmp_answer(0, b"\5\0\6\0")),
        ("client", slmp_request(0x1401, b"\x64\0\0\xa8\1\0\7\0")),
        ("server", slmp_answer(0xC051)),
        ("client", slmp_request(0x1630, b"\4\x001234")),
        ("server", slmp_answer()),
        ("client", slmp_request(0x1002, b"\1\0")),
        ("server", slmp_answer()),
        ("client", slmp_request(0x0101)),
        ("server", slmp_answer(0, b"Q03UDECPU".ljust(16) + b"\x68\2")),
    ]
    rows = read(capture(tmp_path / "slmp.pcap", turns, 5_007))
    assert operations(rows) == [
        ("read", "read", "D100", "answered"),
        ("write", "write", "D100", "exception"),
        ("unlock", "session", "", "answered"),
        ("remote stop", "stop", "", "answered"),
        ("read model", "discover", "", "answered"),
    ]
    assert rows["operations"][1]["error_code"] == 0xC051
    assert rows["operations"][2]["detail"] == "password present"
    assert "1234" not in str([row["value"] for row in rows["operations"]])
    told = [row["value"] for row in rows["observations"] if row["source"] == "melsec"]
    assert told == ["Q03UDECPU"]


def ads(command: int, data: bytes, *, answers: bool = False, invoke: int = 1, error: int = 0) -> bytes:
    addresses = [
        bytes([5, 1, 2, 3, 1, 1]) + struct.pack("<H", 851),
        bytes([9, 9, 9, 9, 1, 1]) + struct.pack("<H", 33_000),
    ]
    target, source = reversed(addresses) if answers else addresses
    header = target + source + struct.pack("<HHIII", command, 4 | answers, len(data), error, invoke)
    return struct.pack("<HI", 0, len(header) + len(data)) + header + data


def test_ads_commands_are_what_wireshark_says(tmp_path: Path) -> None:
    turns: list[Turn] = [
        ("client", ads(1, b"", invoke=1)),
        (
            "server",
            ads(
                1, struct.pack("<IBBH", 0, 3, 1, 4024) + b"Plc30 App".ljust(16, b"\0"), answers=True, invoke=1
            ),
        ),
        ("client", ads(3, struct.pack("<III", 0x4020, 8, 2) + b"\5\0", invoke=2)),
        ("server", ads(3, struct.pack("<I", 0x703), answers=True, invoke=2)),
        ("client", ads(5, struct.pack("<HHI", 6, 0, 0), invoke=3)),
        ("server", ads(5, bytes(4), answers=True, invoke=3)),
    ]
    file = capture(tmp_path / "ads.pcap", turns, 48_898)
    rows = read(file)
    assert operations(rows) == [
        ("read device information", "discover", "", "answered"),
        ("write", "write", "group 0x4020 offset 0x8", "exception"),
        ("write control", "stop", "", "answered"),
    ]
    assert rows["operations"][0]["server_station"] == "5.1.2.3.1.1:851"
    assert rows["operations"][2]["value"] == "stop (6)"
    shown = tshark(file, "ams", "ams.cmdid", "ams.invokeid")
    assert [(int(command, 0), int(invoke, 0)) for command, invoke in shown] == [
        (command, invoke) for command, invoke in ((1, 1), (3, 2), (5, 3)) for _ in "12"
    ]


def hart_ip(kind: int, identifier: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    return struct.pack(">BBBBHH", 1, kind, identifier, status, sequence, 8 + len(body)) + body


def hart(delimiter: int, command: int, data: bytes = b"") -> bytes:
    octets = bytes([delimiter]) + bytes([0xA6, 0x4E, 1, 2, 3]) + bytes([command, len(data)]) + data
    parity = 0
    for octet in octets:
        parity ^= octet
    return octets + bytes([parity])


def test_hart_commands_are_what_wireshark_says(tmp_path: Path) -> None:
    turns: list[Turn] = [
        ("client", hart_ip(0, 0, 1, b"\1" + struct.pack(">I", 30_000))),
        ("server", hart_ip(1, 0, 1, b"\1" + struct.pack(">I", 30_000))),
        ("client", hart_ip(0, 3, 2, hart(0x82, 3))),
        ("server", hart_ip(1, 3, 2, hart(0x86, 3, b"\0\0" + bytes(24)))),
        ("client", hart_ip(0, 3, 3, hart(0x82, 42))),
        ("server", hart_ip(1, 3, 3, hart(0x86, 42, b"\7\0"))),
    ]
    file = write_pcap(tmp_path / "hart.pcap", datagrams(turns, 5_094, sport=40_000))
    rows = read(file)
    assert operations(rows) == [
        ("open session", "session", "", "answered"),
        ("command 3", "read", "", "answered"),
        ("command 42", "restart", "", "exception"),
    ]
    assert rows["operations"][2]["error_code"] == 7
    assert tshark(file, "hart_ip.pt.command", "hart_ip.pt.command") == [["3"], ["3"], ["42"], ["42"]]


def test_the_connection_setup_of_profinet_is_named(tmp_path: Path) -> None:
    interface = bytes.fromhex("010000de976cd111827100a02442df7d")
    body = struct.pack("<IIIII", 64, 64, 64, 0, 64)
    block = (
        struct.pack(">HHBBH", 0x0009, 60, 1, 0, 1)
        + bytes(16)
        + struct.pack(">IHHHHI", 0, 0, 1, 0, 0xAFF0, 64)
    )
    body += block.ljust(64, b"\0")

    def rpc(kind: int, operation: int, body: bytes) -> bytes:
        head = (
            struct.pack("<BBBB", 4, kind, 0x20, 0) + b"\x10\0\0\0" + bytes(16) + interface + bytes(range(16))
        )
        head += struct.pack("<IIIHHHHHBB", 0, 1, 5, operation, 0xFFFF, 0xFFFF, len(body), 0, 0, 0)
        return head + body

    turns: list[Turn] = [("client", rpc(0, 5, body)), ("server", rpc(2, 5, bytes(20)))]
    file = write_pcap(tmp_path / "cm.pcap", datagrams(turns, 34_964, sport=50_000))
    rows = read(file)
    assert operations(rows) == [
        ("read record without connection", "read", "API 0 slot 0 subslot 1 index 0xaff0", "answered")
    ]
    assert rows["flows"][0]["service"] == "profinet"
    assert [
        int(code) for (code,) in tshark(file, "dcerpc.opnum && dcerpc.pkt_type == 0", "dcerpc.opnum")
    ] == [5]


def test_publishers_are_counted_by_group(tmp_path: Path) -> None:
    message = (
        bytes([0xF1, 0x01])
        + struct.pack("<H", 2_234)
        + bytes([1])
        + struct.pack("<H", 100)
        + bytes([1, 1, 0, 0x03, 0xAA])
    )
    rows = read(
        write_pcap(tmp_path / "uadp.pcap", datagrams([("client", message)] * 12, 4_840, sport=50_000))
    )
    (row,) = rows["operations"]
    assert (row["service"], row["object"], row["messages"]) == (
        "opcua-pubsub",
        "publisher 2234 writer group 100",
        12,
    )


def test_what_only_stands_on_their_ports_is_none_of_them(tmp_path: Path) -> None:
    for port in (102, 2_404, 5_007, 5_094, 9_600, 11_740, 18_245, 20_000, 44_818, 48_898):
        turns: list[Turn] = [
            ("client", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
            ("server", b"HTTP/1.1 200 OK\r\n\r\n"),
        ]
        rows = read(capture(tmp_path / f"{port}.pcap", turns, port))
        assert "operations" not in rows, port
