"""CIP over EtherNet/IP, crafted: services, connections, errors; against Wireshark's dissection."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import Turn, capture, read, tshark
from tests.sensors.operations.packets import connected, datagrams, enip, unconnected
from tests.sensors.talks import write_pcap

#: Service, path, what it is called, its class (CIP Networks Library, volume 1, appendix A).
SERVICES: Final = [
    (0x01, "2001 2401", "get attributes all", "discover"),
    (0x0E, "2001 2401 3007", "get attribute single", "read"),
    (0x10, "20f5 2401 3005", "set attribute single", "configure"),
    (0x10, "2004 2464 3003", "set attribute single", "write"),
    (0x05, "2001 2401", "reset", "restart"),
    (0x06, "2068 2401", "start", "start"),
    (0x07, "2068 2401", "stop", "stop"),
    (0x08, "2068 2400", "create", "program"),
    (0x09, "206c 2405", "delete", "program"),
    (0x4B, "2037 24c8", "initiate upload", "program"),
    (0x4C, "2037 24c8", "initiate download", "program"),
    (0x4C, "9103 5461 6700", "read tag", "read"),
    (0x4D, "9103 5461 6700", "write tag", "write"),
    (0x52, "206b 2507 0100", "read tag fragmented", "read"),
]


def request(service: int, path: str, data: bytes = b"") -> bytes:
    octets = bytes.fromhex(path)
    return bytes([service, len(octets) // 2]) + octets + data


def reply(service: int, status: int = 0, data: bytes = b"", extended: bytes = b"") -> bytes:
    return bytes([service | 0x80, 0, status, len(extended) // 2]) + extended + data


def operations(tmp_path: Path, turns: list[Turn]) -> tuple[Path, list[dict[str, Any]]]:
    file = capture(tmp_path / "cip.pcap", turns, 44_818)
    return file, read(file)["operations"]


def test_services_have_the_codes_and_objects_that_wireshark_sees(tmp_path: Path) -> None:
    turns: list[Turn] = []
    for number, (service, path, _, _) in enumerate(SERVICES):
        context = struct.pack("<Q", number + 1)
        turns.append(("client", unconnected(request(service, path), context=context)))
        turns.append(("server", unconnected(reply(service), context=context)))
    file, rows = operations(tmp_path, turns)
    fields = ("frame.number", "cip.sc", "cip.class", "cip.instance", "cip.symbol")
    shown = tshark(file, "cip.rr == 0", *fields)
    assert len(shown) == len(rows) == len(SERVICES)
    for row, (code, _, name, kind), frame in zip(rows, SERVICES, shown, strict=True):
        frame_number, seen_code, class_id, instance, symbol = frame
        assert row["request_frame"] == int(frame_number)
        assert int(seen_code, 16) & 0x7F == code
        assert (row["operation"], row["operation_class"], row["outcome"]) == (name, kind, "answered")
        if symbol:
            assert row["object"] == symbol
        else:
            place = f"class {int(class_id, 0)} instance {int(instance, 0)}"
            assert row["object"].startswith(place), row


def test_a_refusal_has_its_status(tmp_path: Path) -> None:
    context = bytes(range(8))
    turns: list[Turn] = [
        ("client", unconnected(request(0x0E, "2001 2401 3063"), context=context)),
        ("server", unconnected(reply(0x0E, 0x14), context=context)),
    ]
    file, (row,) = operations(tmp_path, turns)
    assert (row["outcome"], row["error_code"], row["detail"]) == (
        "exception",
        0x14,
        "attribute not supported",
    )
    assert [int(code, 16) for (code,) in tshark(file, "cip.rr == 1", "cip.genstat")] == [0x14]


def test_connections_are_opened_used_and_closed(tmp_path: Path) -> None:
    route = bytes.fromhex("0100 2002 2401")
    opening = struct.pack("<BBIIHHI", 10, 5, 1, 2, 3, 1, 77) + bytes([0, 0, 0, 0])
    opening += struct.pack("<IHIHBB", 20_000, 0x43F4, 30_000, 0x43F4, 0xA3, len(route) // 2) + route
    opened = struct.pack("<IIHHIII", 0x11, 0x22, 3, 1, 77, 20_000, 30_000) + bytes(2)
    closing = struct.pack("<BBHHIBB", 10, 5, 3, 1, 77, len(route) // 2, 0) + route
    closed = struct.pack("<HHI", 3, 1, 77) + bytes(2)
    one, two = bytes(7) + b"\1", bytes(7) + b"\2"
    turns: list[Turn] = [
        ("client", unconnected(request(0x54, "2006 2401", opening), context=one)),
        ("server", unconnected(reply(0x54, 0, opened), context=one)),
        ("client", connected(0x11, 1, request(0x0E, "2001 2401 3007"))),
        ("server", connected(0x22, 1, reply(0x0E, 0, b"\x03abc"))),
        ("client", unconnected(request(0x4E, "2006 2401", closing), context=two)),
        ("server", unconnected(reply(0x4E, 0, closed), context=two)),
    ]
    file, rows = operations(tmp_path, turns)
    assert [row["operation"] for row in rows] == ["forward open", "get attribute single", "forward close"]
    assert rows[0]["server_station"] == rows[2]["server_station"] == "port 1 address 0"
    assert rows[0]["detail"] == "class 3, every 20000 µs out, 30000 µs back"
    assert rows[1]["value"] == "03616263"
    assert not tshark(file, "_ws.malformed", "frame.number")
    (shown,) = tshark(file, "cip.cm.otrpi && cip.rr == 0", "cip.cm.otrpi", "cip.cm.torpi")
    assert [float(value) for value in shown] == [20.0, 30.0] or [int(float(value)) for value in shown] == [
        20_000,
        30_000,
    ]


def test_messages_of_one_packet_are_operations_of_their_own(tmp_path: Path) -> None:
    parts = [request(0x4C, "9101 4100", b"\1\0"), request(0x4D, "9101 4200", struct.pack("<HHH", 0xC3, 1, 9))]
    answers = [reply(0x4C, 0, b"\xc3\0\x05\0"), reply(0x4D, 0x0F)]

    def bundle(messages: list[bytes]) -> bytes:
        start = 2 + 2 * len(messages)
        offsets = [start + sum(map(len, messages[:number])) for number in range(len(messages))]
        return struct.pack(f"<H{len(messages)}H", len(messages), *offsets) + b"".join(messages)

    turns: list[Turn] = [
        ("client", connected(5, 9, request(0x0A, "2002 2401", bundle(parts)))),
        ("server", connected(6, 9, reply(0x0A, 0x1E, bundle(answers)))),
    ]
    _, rows = operations(tmp_path, turns)
    said = [
        (row["operation"], row["object"], row["value"], row["outcome"], row["error_code"]) for row in rows
    ]
    assert said == [
        ("read tag", "A", "INT 0500", "answered", None),
        ("write tag", "B", "0900", "exception", 0x0F),
    ]


def test_the_programs_of_older_controllers_are_told_by_their_function(tmp_path: Path) -> None:
    requestor = bytes([7]) + struct.pack("<HI", 1, 77)
    command = requestor + struct.pack("<BBHB", 0x0F, 0, 3, 0x80) + b"\6"
    done = requestor + struct.pack("<BBH", 0x4F, 0x10, 3)
    turns: list[Turn] = [
        ("client", unconnected(request(0x4B, "2067 2401", command), context=bytes(8))),
        ("server", unconnected(reply(0x4B, 0, done), context=bytes(8))),
    ]
    file, (row,) = operations(tmp_path, turns)
    assert (row["detail"], row["operation_class"]) == ("PCCC change mode", "stop")
    assert (row["outcome"], row["error_code"]) == ("exception", 0x10)
    assert tshark(file, "cip.pccc.fnc.code_0f == 0x80", "frame.number")


def test_implicit_messages_are_counted_not_listed(tmp_path: Path) -> None:
    def implicit(connection: int, sequence: int) -> bytes:
        return struct.pack(
            "<HHHIIHHH", 2, 0x8002, 8, connection, sequence, 0xB1, 8, sequence & 0xFFFF
        ) + bytes(6)

    turns: list[Turn] = []
    for sequence in range(100):
        turns += [("client", implicit(0x11, sequence)), ("server", implicit(0x22, sequence))]
    file = write_pcap(tmp_path / "implicit.pcap", datagrams(turns, 2_222))
    rows = read(file)["operations"]
    assert [(row["object"], row["messages"]) for row in rows] == [
        ("connection 0x00000011", 100),
        ("connection 0x00000022", 100),
    ]
    assert len(tshark(file, "enip.cpf.sai.connid || cipio", "frame.number")) == 200


def test_looking_for_devices_over_udp_is_told(tmp_path: Path) -> None:
    identity = struct.pack(">hH4s8s", 2, 44_818, b"\x0a\x09\x00\x09", bytes(8))
    identity += struct.pack("<HHHBBHI", 47, 12, 1616, 2, 1, 0, 0x1234) + bytes([3]) + b"CJ2" + b"\x03"
    item = struct.pack("<HHHH", 1, 0x0C, len(identity) + 2, 1) + identity
    turns: list[Turn] = [("client", enip(0x63)), ("server", enip(0x63, item))]
    file = write_pcap(tmp_path / "identity.pcap", datagrams(turns, 44_818, sport=50_000))
    rows = read(file)
    (row,) = rows["operations"]
    assert (row["operation"], row["operation_class"], row["outcome"]) == (
        "list identity",
        "discover",
        "answered",
    )
    told = {row["kind"]: row["value"] for row in rows["observations"] if row["source"] == "cip"}
    ((name, vendor),) = tshark(file, "enip.lir.name", "enip.lir.name", "enip.lir.vendor")
    assert (told["model"], told["vendor"]) == (name, "OMRON Corporation")
    assert int(vendor, 0) == 47


def test_a_web_page_on_its_port_is_not_ethernet_ip(tmp_path: Path) -> None:
    file = capture(tmp_path / "web.pcap", [("client", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")], 44_818)
    assert "operations" not in read(file)
