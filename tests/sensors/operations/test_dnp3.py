"""DNP3 operations against Wireshark's dissection of the same frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensors.conversations import Turn, capture, read, tshark
from tests.sensors.operations.packets import (
    control_block,
    datagrams,
    dnp3_frame,
    dnp3_request,
    dnp3_response,
)
from tests.sensors.talks import decoded, write_pcap

#: Function code, its objects, what the operation is called, and its class (IEEE 1815, 4.4).
FUNCTIONS = [
    (1, bytes([60, 2, 6]), "read", "read"),
    (2, bytes([80, 1, 0, 7, 7, 0]), "write", "write"),
    (3, bytes([12, 1, 0x17, 1, 3]) + control_block(0x41, 1, 100, 100), "select", "write"),
    (4, bytes([12, 1, 0x17, 1, 3]) + control_block(0x41, 1, 100, 100), "operate", "write"),
    (5, bytes([12, 1, 0x28, 1, 0, 3, 0]) + control_block(3, 1, 0, 0), "direct operate", "write"),
    (7, bytes([20, 0, 6]), "freeze", "write"),
    (13, b"", "cold restart", "restart"),
    (14, b"", "warm restart", "restart"),
    (16, bytes([90, 1, 6]), "initialize application", "program"),
    (17, bytes([90, 1, 6]), "start application", "start"),
    (18, bytes([90, 1, 6]), "stop application", "stop"),
    (19, b"", "save configuration", "configure"),
    (20, bytes([60, 2, 6]), "enable unsolicited responses", "configure"),
    (21, bytes([60, 2, 6, 60, 3, 6]), "disable unsolicited responses", "configure"),
    (23, b"", "measure delay", "session"),
]


def conversation() -> list[Turn]:
    """Each function and an answer that has nothing to say."""
    turns: list[Turn] = []
    for number, (function, objects, _, _) in enumerate(FUNCTIONS):
        echo = objects if function in (3, 4, 5) else b""
        turns.append(("client", dnp3_request(number, function, objects)))
        turns.append(("server", dnp3_response(number, 0, echo)))
    return turns


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_every_function_is_what_wireshark_says(tmp_path: Path, transport: str) -> None:
    if transport == "tcp":
        file = capture(tmp_path / "dnp3.pcap", conversation(), 20_000)
    else:
        file = write_pcap(tmp_path / "dnp3.pcap", datagrams(conversation(), 20_000, sport=40_000))
    rows = read(file)["operations"]
    fields = ("frame.number", "dnp3.al.func", "dnp3.src", "dnp3.dst")
    shown = tshark(file, "dnp3.al.func < 128", *fields)
    wrong = "dnp3.hdr.CRC.incorrect || dnp3.data_chunk.CRC.incorrect || _ws.malformed"
    assert not tshark(file, wrong, "frame.number"), "Wireshark likes our frames"
    theirs = [(int(number), int(code), source, destination) for number, code, source, destination in shown]
    codes = {name: code for code, _, name, _ in FUNCTIONS}
    ours = [
        (row["request_frame"], codes[row["operation"]], row["client_station"], row["server_station"])
        for row in rows
    ]
    assert ours == theirs
    assert [row["operation_class"] for row in rows] == [kind for *_, kind in FUNCTIONS]
    assert {row["outcome"] for row in rows} == {"answered"}
    assert {row["confidence"] for row in rows} == {"structure"}


def test_a_command_says_point_value_and_why_it_was_refused(tmp_path: Path) -> None:
    command = bytes([12, 1, 0x28, 1, 0, 7, 0])
    turns: list[Turn] = [
        ("client", dnp3_request(1, 5, command + control_block(0x41, 2, 100, 200))),
        ("server", dnp3_response(1, 0, command + control_block(0x41, 2, 100, 200, status=4))),
        ("client", dnp3_request(2, 1, bytes([30, 1, 0, 0, 3]))),
        ("server", dnp3_response(2, 0x9002)),
    ]
    file = capture(tmp_path / "dnp3.pcap", turns, 20_000)
    operate, refused = read(file)["operations"]
    assert operate["object"] == "g12v1 7"
    assert operate["value"].startswith("pulse on close, count 2, on 100 ms, off 200 ms")
    assert (operate["outcome"], operate["error_code"], operate["detail"]) == ("exception", 4, "not supported")
    assert (refused["outcome"], refused["error_code"]) == ("exception", 0x9002)
    assert refused["detail"] == "restarted, needs time, object unknown"
    assert (refused["object"], refused["quantity"]) == ("g30v1 0 to 3", 4)
    (status,) = tshark(file, "dnp3.al.func == 129 && dnp3.al.ctrlstatus", "dnp3.al.ctrlstatus")
    assert int(status[0]) == operate["error_code"]
    theirs = tshark(file, "dnp3.al.iin", "dnp3.al.iin")
    assert int(theirs[-1][0], 16) == refused["error_code"]


def test_a_long_answer_in_many_frames_is_one(tmp_path: Path) -> None:
    points = bytes([30, 2, 0, 0, 199]) + bytes(3 * 200)
    turns: list[Turn] = [
        ("client", dnp3_request(3, 1, bytes([60, 1, 6]))),
        ("server", dnp3_response(3, 0, points)),
    ]
    file = capture(tmp_path / "dnp3.pcap", turns, 20_000)
    (row,) = read(file)["operations"]
    assert (row["outcome"], row["value"], row["quantity"]) == ("answered", "g30v2 0 to 199", 200)
    assert tshark(file, "dnp3.al.func == 129", "dnp3.al.func"), "Wireshark puts it together too"


def test_unsolicited_responses_are_counted_and_the_telling_ones_told(tmp_path: Path) -> None:
    event = bytes([2, 1, 0x17, 1, 5, 0x81])
    turns: list[Turn] = [("server", dnp3_response(n, 0, event, function=130)) for n in range(10)]
    turns.append(("server", dnp3_response(11, 0x8000, event, function=130)))
    rows = read(capture(tmp_path / "dnp3.pcap", turns, 20_000))["operations"]
    told, counted = sorted(rows, key=lambda row: row["messages"])
    assert (counted["messages"], counted["operation"], counted["outcome"]) == (
        10,
        "unsolicited response",
        "one_way",
    )
    assert (told["messages"], told["detail"]) == (1, "restarted")
    assert {(row["client_station"], row["server_station"]) for row in rows} == {("1", "4")}


def test_a_damaged_block_is_an_anomaly_and_no_operation(tmp_path: Path) -> None:
    good = dnp3_request(1, 13)
    bad = good[:-3] + bytes([good[-3] ^ 1]) + good[-2:]
    rows = decoded(capture(tmp_path / "dnp3.pcap", [("client", bad), ("client", good)], 20_000))
    assert [row["operation"] for row in rows["operations"]] == ["cold restart"]
    assert [row["kind"] for row in rows["anomalies"]] == ["checksum"]


def test_link_frames_are_counted_as_what_keeps_the_link(tmp_path: Path) -> None:
    turns: list[Turn] = [("client", dnp3_frame(0xC9, 4, 1, b"")), ("server", dnp3_frame(0x0B, 1, 4, b""))] * 5
    rows = read(capture(tmp_path / "dnp3.pcap", turns, 19_999))["operations"]
    assert [(row["operation"], row["messages"]) for row in rows] == [
        ("request link status", 5),
        ("link status", 5),
    ]


def test_an_outstation_is_told_to_the_inventory(tmp_path: Path) -> None:
    told = read(capture(tmp_path / "dnp3.pcap", conversation(), 20_000))["observations"]
    assert [(row["kind"], row["value"]) for row in told if row["source"] == "dnp3"] == [
        ("role", "DNP3 outstation 4")
    ]
