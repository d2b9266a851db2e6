"""PROFINET and IEC 61850 without IP, against Wireshark's dissection."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import read, tshark
from tests.sensors.operations.packets import CLIENT_MAC, SERVER_MAC, frame
from tests.sensors.talks import Rows, write_pcap

EVERYBODY: Final = "01:0e:cf:00:00:00"
ENGINEER, DEVICE = int(CLIENT_MAC.replace(":", ""), 16), int(SERVER_MAC.replace(":", ""), 16)


def block(option: int, sub: int, value: bytes) -> bytes:
    """A DCP block, at an even length (IEC 61158-6-10, 4.3.1)."""
    return struct.pack(">BBH", option, sub, len(value)) + value + b"\0" * (len(value) % 2)


def dcp(frame_id: int, service: int, kind: int, xid: int, *blocks: bytes) -> bytes:
    body = b"".join(blocks)
    return struct.pack(">HBBIHH", frame_id, service, kind, xid, 0, len(body)) + body


def asked(payload: bytes, to: str = SERVER_MAC) -> bytes:
    return frame(CLIENT_MAC, to, 0x8892, payload)


def answered(payload: bytes, source: str = SERVER_MAC) -> bytes:
    return frame(source, CLIENT_MAC, 0x8892, payload)


def decoded(tmp_path: Path, frames: list[bytes], **how: Any) -> tuple[Path, Rows]:
    file = write_pcap(tmp_path / "frames.pcap", frames, **how)
    return file, read(file)


def identity(name: bytes, address: bytes) -> tuple[bytes, ...]:
    return (
        block(2, 1, b"\0\0S7-1200"),
        block(2, 2, b"\0\0" + name),
        block(2, 3, b"\0\0" + struct.pack(">HH", 0x002A, 0x010D)),
        block(2, 4, b"\0\0\2\0"),
        block(1, 2, b"\0\1" + address + bytes([255, 255, 255, 0]) + bytes(4)),
    )


def test_a_device_that_is_identified_reaches_the_inventory(tmp_path: Path) -> None:
    frames = [
        asked(dcp(0xFEFE, 5, 0, 9, block(0xFF, 0xFF, b"")), EVERYBODY),
        answered(dcp(0xFEFF, 5, 1, 9, *identity(b"plc1", bytes([10, 9, 0, 9])))),
        answered(dcp(0xFEFF, 5, 1, 9, *identity(b"plc2", bytes([10, 9, 0, 10]))), "00:00:5e:00:53:03"),
    ]
    file, rows = decoded(tmp_path, frames)
    first, second = rows["operations"]
    assert (first["operation"], first["operation_class"], first["outcome"]) == (
        "identify",
        "discover",
        "answered",
    )
    assert (first["request_frame"], first["response_frame"], first["latency_ns"]) == (1, 2, 1_000_000)
    assert (first["client_mac"], first["server_mac"]) == (ENGINEER, DEVICE)
    assert (second["request_frame"], second["response_frame"]) == (1, 3)
    told = {
        (row["kind"], row["value"])
        for row in rows["observations"]
        if row["source"] == "profinet_dcp" and row["mac"] == DEVICE
    }
    fields = ("suboption_device_nameofstation", "suboption_device_devicevendorvalue", "suboption_ip_ip")
    ((name, model, address),) = tshark(file, "frame.number == 2", *(f"pn_dcp.{field}" for field in fields))
    assert {
        ("host_name", name),
        ("model", model),
        ("address", address),
        ("role", "PROFINET IO controller"),
    } <= told
    assert not tshark(file, "_ws.malformed", "frame.number")


def test_setting_a_name_an_address_or_resetting_changes_the_device(tmp_path: Path) -> None:
    done = [block(5, 4, bytes([2, 2, 0])), block(5, 4, bytes([1, 2, 3])), block(5, 4, bytes([5, 6, 0]))]
    frames = [
        asked(dcp(0xFEFD, 4, 0, 1, block(2, 2, b"\0\1press-7"))),
        answered(dcp(0xFEFD, 4, 1, 1, done[0])),
        asked(
            dcp(0xFEFD, 4, 0, 2, block(1, 2, b"\0\1" + bytes([10, 9, 0, 77, 255, 255, 255, 0, 0, 0, 0, 0])))
        ),
        answered(dcp(0xFEFD, 4, 1, 2, done[1])),
        asked(dcp(0xFEFD, 4, 0, 3, block(5, 6, b"\0\4"))),
        answered(dcp(0xFEFD, 4, 1, 3, done[2])),
        asked(dcp(0xFEFD, 4, 0, 4, block(5, 3, b"\0\0\1\0"))),
    ]
    file, rows = decoded(tmp_path, frames)
    said = [
        (row["operation"], row["operation_class"], row["outcome"], row["error_code"])
        for row in rows["operations"]
    ]
    assert said == [
        ("set station name", "configure", "answered", None),
        ("set IP address", "configure", "exception", 3),
        ("reset to factory", "restart", "answered", None),
        ("signal", "configure", "pending", None),
    ]
    assert rows["operations"][0]["value"] == "station name press-7"
    assert [row["request_frame"] for row in rows["operations"]] == [
        int(number)
        for (number,) in tshark(file, "pn_dcp.service_id == 4 && pn_dcp.service_type == 0", "frame.number")
    ]


def test_reading_names_what_is_read(tmp_path: Path) -> None:
    frames = [
        asked(dcp(0xFEFD, 3, 0, 5, bytes([2, 2, 1, 2]))),
        answered(dcp(0xFEFD, 3, 1, 5, block(2, 2, b"\0\0plc1"))),
    ]
    _, rows = decoded(tmp_path, frames)
    (row,) = rows["operations"]
    assert (row["operation"], row["object"], row["value"]) == (
        "get",
        "station name, IP address",
        "station name plc1",
    )


def test_cyclic_frames_are_one_row_a_minute(tmp_path: Path) -> None:
    cyclic = [
        frame(SERVER_MAC, CLIENT_MAC, 0x8892, struct.pack(">H", 0x8001) + bytes(42)) for _ in range(150)
    ]
    file, rows = decoded(tmp_path, cyclic, step_us=1_000_000)
    # The capture begins at a full minute, or inside one.
    assert (
        sum(row["messages"] for row in rows["operations"])
        == len(tshark(file, "pn_rt", "frame.number"))
        == 150
    )
    assert len(rows["operations"]) in (3, 4)
    assert {row["object"] for row in rows["operations"]} == {"frame id 0x8001"}


def tlv(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


def goose(reference: bytes, number: int) -> bytes:
    content = tlv(0x80, reference) + tlv(0x81, b"\x07\xd0") + tlv(0x82, b"IED1/LLN0$ds") + tlv(0x83, b"id")
    content += tlv(0x84, bytes(8)) + tlv(0x85, b"\1") + tlv(0x86, bytes([number])) + tlv(0x87, b"\0")
    content += tlv(0x88, b"\1") + tlv(0x89, b"\0") + tlv(0x8A, b"\1") + tlv(0xAB, tlv(0x83, b"\1"))
    unit = tlv(0x61, content)
    return struct.pack(">HHHH", 0x0003, 8 + len(unit), 0, 0) + unit


def test_substation_events_are_counted_by_control_block(tmp_path: Path) -> None:
    frames = [frame(SERVER_MAC, "01:0c:cd:01:00:01", 0x88B8, goose(b"IED1/LLN0$GO$g1", n)) for n in range(20)]
    file, rows = decoded(tmp_path, frames)
    (row,) = rows["operations"]
    assert (row["service"], row["object"], row["messages"]) == ("goose", "IED1/LLN0$GO$g1", 20)
    assert row["detail"] == "application 0x0003, data set IED1/LLN0$ds"
    shown = tshark(file, "goose", "goose.gocbRef")
    assert shown == [["IED1/LLN0$GO$g1"]] * 20


def test_sampled_values_are_counted_by_stream(tmp_path: Path) -> None:
    unit = tlv(
        0x30,
        tlv(0x80, b"MU01")
        + tlv(0x82, b"\0\1")
        + tlv(0x83, bytes(4))
        + tlv(0x85, b"\1")
        + tlv(0x87, bytes(64)),
    )
    content = tlv(0x60, tlv(0x80, b"\1") + tlv(0xA2, unit))
    payload = struct.pack(">HHHH", 0x4000, 8 + len(content), 0, 0) + content
    file, rows = decoded(tmp_path, [frame(SERVER_MAC, "01:0c:cd:04:00:01", 0x88BA, payload)] * 30)
    (row,) = rows["operations"]
    assert (row["service"], row["object"], row["messages"]) == ("sampled-values", "MU01", 30)
    assert tshark(file, "sv", "sv.svID") == [["MU01"]] * 30


def test_ethercat_is_named_and_counted(tmp_path: Path) -> None:
    datagram = struct.pack("<BBIHH", 2, 0, 0x0130_0000, 2, 0) + bytes(2) + b"\0\0"
    payload = struct.pack("<H", len(datagram) | 0x1000) + datagram
    file, rows = decoded(tmp_path, [frame(CLIENT_MAC, EVERYBODY, 0x88A4, payload)] * 7)
    (row,) = rows["operations"]
    assert (row["service"], row["operation"], row["messages"]) == ("ethercat", "datagrams", 7)
    assert len(tshark(file, "ecatf", "frame.number")) == 7


def test_noise_under_these_types_is_no_operation(tmp_path: Path) -> None:
    noise = [
        frame(SERVER_MAC, CLIENT_MAC, kind, b"\xfe\xfe\x09\x09" + b"\xff" * 42)
        for kind in (0x8892, 0x88B8, 0x88BA, 0x88A4)
    ]
    _, rows = decoded(tmp_path, noise)
    assert "operations" not in rows
    assert len(rows["anomalies"]) == 4
