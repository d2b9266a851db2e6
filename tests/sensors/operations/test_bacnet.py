"""BACnet/IP, built as ASHRAE 135 says, against Wireshark's dissection."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import Turn, read, tshark
from tests.sensors.operations.packets import bacnet, datagrams
from tests.sensors.talks import Rows, write_pcap

PORT: Final = 47_808


def confirmed(invoke: int, service: int, body: bytes) -> bytes:
    return bacnet(bytes([0x00, 0x05, invoke, service]) + body)


def simple(invoke: int, service: int) -> bytes:
    return bacnet(bytes([0x20, invoke, service]), control=0)


def complex_answer(invoke: int, service: int, body: bytes) -> bytes:
    return bacnet(bytes([0x30, invoke, service]) + body, control=0)


def identifier(kind: int, instance: int, tag: int = 0) -> bytes:
    return bytes([tag << 4 | 0x0C]) + struct.pack(">I", kind << 22 | instance)


def text(value: str) -> bytes:
    octets = b"\0" + value.encode()
    return bytes([0x75, len(octets)]) + octets


def decoded(tmp_path: Path, turns: list[Turn], **how: Any) -> tuple[Path, Rows]:
    file = write_pcap(tmp_path / "bacnet.pcap", datagrams(turns, PORT, **how))
    return file, read(file)


def test_reads_and_writes_have_objects_properties_and_values(tmp_path: Path) -> None:
    place = identifier(2, 7) + bytes([0x19, 85])
    turns: list[Turn] = [
        ("client", confirmed(1, 12, place)),
        ("server", complex_answer(1, 12, place + b"\x3e\x44" + struct.pack(">f", 21.5) + b"\x3f")),
        ("client", confirmed(2, 15, place + b"\x3e\x44" + struct.pack(">f", 33.25) + b"\x3f\x49\x08")),
        ("server", simple(2, 15)),
        ("client", confirmed(3, 12, identifier(2, 99) + bytes([0x19, 85]))),
        ("server", bacnet(bytes([0x50, 3, 12, 0x91, 1, 0x91, 31]), control=0)),
    ]
    file, rows = decoded(tmp_path, turns)
    read_row, write_row, refused = rows["operations"]
    assert (read_row["object"], read_row["value"]) == ("analog-value 7 present-value", "21.5")
    assert (write_row["object"], write_row["value"]) == ("analog-value 7 present-value", "33.25")
    assert (write_row["operation_class"], write_row["detail"]) == ("write", "priority 8")
    assert (refused["outcome"], refused["error_code"]) == ("exception", 31)
    assert "unknown-object" in refused["detail"]
    fields = (
        "bacapp.confirmed_service",
        "bacapp.objectType",
        "bacapp.instance_number",
        "bacapp.property_identifier",
    )
    shown = tshark(file, "bacapp.type == 0", "frame.number", *fields)
    assert [(int(n), int(service)) for n, service, *_ in shown] == [(1, 12), (3, 15), (5, 12)]
    assert [row["request_frame"] for row in rows["operations"]] == [int(frame[0]) for frame in shown]
    assert next(frame[2:] for frame in shown) == ["2", "7", "85"]
    assert tshark(file, "bacapp.error_code", "bacapp.error_code") == [["31"]]
    assert not tshark(file, "_ws.malformed", "frame.number")


def test_several_properties_are_listed(tmp_path: Path) -> None:
    device = identifier(8, 1001)
    asked = (
        device
        + bytes([0x1E, 0x09, 77, 0x09, 70, 0x0A, 0x01, 0x74, 0x1F])
        + identifier(0, 3)
        + b"\x1e\x09\x55\x1f"
    )
    told = device + b"\x1e"
    told += bytes([0x29, 77, 0x4E]) + text("Boiler") + b"\x4f"
    told += bytes([0x29, 70, 0x4E]) + text("AC-1") + b"\x4f"
    told += bytes([0x2A, 0x01, 0x74, 0x5E, 0x91, 2, 0x91, 32, 0x5F]) + b"\x1f"
    turns: list[Turn] = [("client", confirmed(4, 14, asked)), ("server", complex_answer(4, 14, told))]
    file, rows = decoded(tmp_path, turns)
    (row,) = rows["operations"]
    assert row["object"] == (
        "device 1001 object-name, device 1001 model-name, device 1001 serial-number, analog-input 3 present-value"
    )
    assert (row["quantity"], row["value"]) == (4, "Boiler, AC-1")
    told_of = {row["kind"]: row["value"] for row in rows["observations"] if row["source"] == "bacnet"}
    assert told_of == {"host_name": "Boiler", "model": "AC-1"}
    ((properties,),) = tshark(file, "bacapp.type == 0", "bacapp.property_identifier")
    assert properties == "77,70,372,85"


def test_passwords_of_restarts_and_silencing_are_only_present(tmp_path: Path) -> None:
    password = bytes([0x2D, 9, 0]) + b"geheim12"
    again = bytes([0x1D, 9, 0]) + b"geheim12"
    turns: list[Turn] = [
        ("client", confirmed(5, 20, bytes([0x09, 1]) + again)),
        ("server", bacnet(bytes([0x50, 5, 20, 0x91, 4, 0x91, 26]), control=0)),
        ("client", confirmed(6, 17, bytes([0x09, 5, 0x19, 1]) + password)),
        ("server", simple(6, 17)),
    ]
    file, rows = decoded(tmp_path, turns)
    restart, silence = rows["operations"]
    assert (restart["operation"], restart["operation_class"]) == ("reinitialize device", "restart")
    assert (restart["value"], restart["detail"].split(" ->")[0]) == ("warmstart", "password present")
    assert (silence["operation"], silence["operation_class"]) == ("device communication control", "stop")
    assert (silence["value"], silence["detail"]) == ("disable", "for 5 minutes, password present")
    assert "geheim" not in str(rows)
    assert b"geheim12".hex() not in str(rows)
    assert tshark(file, "bacapp.type == 0", "bacapp.confirmed_service") == [["20"], ["17"]]


def test_who_is_and_i_am_are_counted_and_name_the_device(tmp_path: Path) -> None:
    everybody = bytes([0xFF, 0xFF, 0, 0xFF])
    who_is = bacnet(bytes([0x10, 8, 0x09, 1, 0x1A, 0x03, 0xE9]), function=0x0B, control=0x20, route=everybody)
    i_am = bacnet(
        bytes([0x10, 0, 0xC4])
        + struct.pack(">I", 8 << 22 | 1001)
        + bytes([0x22, 5, 0xC4, 0x91, 3, 0x21, 17]),
        function=0x0B,
        control=0x20,
        route=everybody,
    )
    file, rows = decoded(tmp_path, [("client", who_is), ("server", i_am)] * 5)
    assert [(row["operation"], row["object"], row["messages"]) for row in rows["operations"]] == [
        ("who is", "device 1 to 1001", 5),
        ("I am", "device 1001", 5),
    ]
    told = {row["kind"]: row["value"] for row in rows["observations"] if row["source"] == "bacnet"}
    assert told == {"role": "BACnet device 1001", "vendor": "Honeywell Inc."}
    assert [
        frame[0] for frame in tshark(file, "bacapp.unconfirmed_service == 0", "bacapp.instance_number")
    ] == ["1001"] * 5


def test_devices_behind_a_router_have_their_own_station(tmp_path: Path) -> None:
    to = struct.pack(">HBB", 5, 1, 9) + b"\xff"
    back = struct.pack(">HBB", 5, 1, 9)
    place = identifier(8, 1) + bytes([0x19, 70])
    turns: list[Turn] = [
        ("client", bacnet(bytes([0, 5, 1, 12]) + place, control=0x24, route=to)),
        (
            "server",
            bacnet(bytes([0x30, 1, 12]) + place + b"\x3e" + text("VAV") + b"\x3f", control=0x08, route=back),
        ),
    ]
    file, rows = decoded(tmp_path, turns)
    (row,) = rows["operations"]
    assert (row["server_station"], row["outcome"], row["value"]) == ("network 5 station 9", "answered", "VAV")
    assert not [row for row in rows.get("observations", []) if row["source"] == "bacnet"]
    assert tshark(file, "bacnet.dnet == 5 || bacnet.snet == 5", "frame.number") == [["1"], ["2"]]


def test_files_and_changes_are_told(tmp_path: Path) -> None:
    body = bytes([0xC4]) + struct.pack(">I", 10 << 22 | 2) + bytes([0x0E, 0x31, 0, 0x63, 1, 2, 3, 0x0F])
    subscribe = bytes([0x09, 18]) + identifier(2, 7, 1) + bytes([0x29, 1, 0x39, 60])
    turns: list[Turn] = [
        ("client", confirmed(7, 7, body)),
        ("server", complex_answer(7, 7, bytes([0x09, 0]))),
        ("client", confirmed(8, 5, subscribe)),
        ("server", simple(8, 5)),
    ]
    _, rows = decoded(tmp_path, turns)
    assert [(row["operation"], row["operation_class"], row["object"]) for row in rows["operations"]] == [
        ("write file", "program", "file 2"),
        ("subscribe to changes", "read", "analog-value 7"),
    ]


def test_what_only_begins_like_bacnet_is_not_it(tmp_path: Path) -> None:
    _, rows = decoded(tmp_path, [("client", b"\x81\x0a\x00\x20hello"), ("server", b"\x81\x0a")])
    assert "operations" not in rows
