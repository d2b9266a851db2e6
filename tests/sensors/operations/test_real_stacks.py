"""What real client and server stacks said to each other, against Wireshark's dissection of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import read, tshark
from tests.sensors.talks import Rows

RECORDED: Final = Path(__file__).parent / "recorded"

Row = dict[str, Any]


def operations(file: Path) -> list[Row]:
    return read(file)["operations"]


def by_request(rows: list[Row]) -> dict[int, Row]:
    return {row["request_frame"]: row for row in rows if row["request_frame"] is not None}


#: Functions of S7comm jobs, as published research and Wireshark number them.
JOBS: Final = {
    0xF0: {"set up communication"},
    0x04: {"read variables"},
    0x05: {"write variables"},
    0x1A: {"request download"},
    0x1B: {"download block"},
    0x1C: {"download ended"},
    0x1D: {"start upload"},
    0x1E: {"upload"},
    0x1F: {"end upload"},
    0x28: {"start (cold)", "start (warm)", "compress memory", "copy RAM to ROM", "program service"},
    0x29: {"stop"},
}
#: Group and subfunction of S7comm user data.
USER_DATA: Final = {
    (3, 1): "list blocks",
    (3, 2): "list blocks of a type",
    (3, 3): "block information",
    (4, 1): "read system state list",
    (5, 1): "give password",
    (5, 2): "clear password",
    (7, 1): "read clock",
    (7, 2): "set clock",
}


def test_s7_jobs_and_their_answers_are_paired_as_wireshark_numbers_them() -> None:
    file = RECORDED / "s7.pcap"
    rows = by_request(operations(file))
    shown = tshark(
        file, "s7comm.header.rosctr == 1", "frame.number", "s7comm.param.func", "s7comm.header.pduref"
    )
    acknowledged = tshark(file, "s7comm.header.rosctr in {2,3}", "frame.number", "s7comm.header.pduref")
    assert len(shown) > 20
    for number, function, reference in shown:
        row = rows[int(number)]
        assert row["operation"] in JOBS[int(function, 16)], row
        later = [
            int(frame) for frame, known in acknowledged if known == reference and int(frame) > int(number)
        ]
        assert row["response_frame"] == later[0], row
        assert row["service"] == "s7comm"
        assert row["confidence"] == "handshake" or int(number) < 10


def test_s7_user_data_is_what_wireshark_says() -> None:
    file = RECORDED / "s7.pcap"
    rows = by_request(operations(file))
    shown = tshark(
        file,
        "s7comm.param.userdata.type == 4",
        "frame.number",
        "s7comm.param.userdata.funcgroup",
        "s7comm.param.userdata.subfunc",
    )
    assert len(shown) > 10
    for number, group, function in shown:
        assert rows[int(number)]["operation"] == USER_DATA[int(group), int(function)]


def test_s7_reads_and_writes_have_places_values_and_return_codes() -> None:
    file = RECORDED / "s7.pcap"
    rows = {row["response_frame"]: row for row in operations(file)}
    shown = tshark(
        file,
        "s7comm.header.rosctr == 3 && s7comm.param.func == 0x04",
        "frame.number",
        "s7comm.data.returncode",
        "s7comm.resp.data",
    )
    compared = 0
    for number, codes, data in shown:
        row = rows[int(number)]
        if row["outcome"] == "orphan":
            continue
        failed = [int(code, 16) for code in codes.split(",") if code != "0xff"]
        assert row["error_code"] == (failed[0] if failed else None), row
        if not failed:
            assert row["value"] == data
        compared += 1
    assert compared >= 3
    write = next(row for row in operations(file) if row["operation"] == "write variables")
    assert (write["object"], write["value"]) == ("DB1.DBX4.0 BYTE 3", "010203")
    assert (write["client_station"], write["server_station"]) == ("0100", "rack 0 slot 2")


def test_s7_classes_tell_reading_from_programming_starting_and_stopping() -> None:
    classes: dict[str, set[str]] = {}
    for row in operations(RECORDED / "s7.pcap"):
        classes.setdefault(row["operation_class"], set()).add(row["operation"])
    assert classes["stop"] == {"stop"}
    assert classes["start"] == {"start (cold)", "start (warm)"}
    assert classes["write"] == {"write variables"}
    assert classes["configure"] == {"set clock"}
    assert {"download block", "upload", "copy RAM to ROM"} <= classes["program"]
    assert "read system state list" in classes["discover"]


def test_the_controller_asks_for_the_blocks_that_are_downloaded_to_it() -> None:
    rows = {row["operation"]: row for row in operations(RECORDED / "s7.pcap")}
    assert rows["download block"]["server_port"] != 102
    assert rows["request download"]["server_port"] == 102
    assert rows["download block"]["object"] == "DB 1 (passive)"


def test_an_s7_password_leaves_no_trace_but_its_presence() -> None:
    rows: Rows = read(RECORDED / "s7.pcap")
    given = next(row for row in rows["operations"] if row["operation"] == "give password")
    assert given["detail"] == "password present"
    # "geheim12", as it is and as the protocol veils it.
    veiled = bytearray(b"geheim12")
    for place in range(8):
        veiled[place] ^= 0x55 ^ (veiled[place - 2] if place > 1 else 0)
    for said in (b"geheim12", bytes(veiled)):
        assert said.hex() not in str(rows)
    assert "geheim12" not in str(rows)


def test_the_order_number_of_a_controller_reaches_the_inventory() -> None:
    told = [row for row in read(RECORDED / "s7.pcap")["observations"] if row["source"] == "s7comm"]
    assert ("model", "6ES7 315-2EH14-0AB0") in {(row["kind"], row["value"]) for row in told}


#: Types of IEC 60870-5-104 in the recording, with their class.
TYPES: Final = {
    45: ("single command", "write"),
    46: ("double command", "write"),
    50: ("set point, short float", "write"),
    100: ("interrogation", "read"),
    101: ("counter interrogation", "read"),
    102: ("read", "read"),
    103: ("clock synchronization", "configure"),
    107: ("test command", "session"),
}

FIELDS: Final = (
    "frame.number",
    "iec60870_asdu.typeid",
    "iec60870_asdu.causetx",
    "iec60870_asdu.nega",
    "iec60870_asdu.addr",
    "iec60870_asdu.ioa",
)


def test_commands_of_iec104_and_their_confirmations_are_what_wireshark_says() -> None:
    file = RECORDED / "iec104.pcap"
    rows = by_request(operations(file))
    shown = [list(map(_number, frame)) for frame in tshark(file, "iec60870_asdu", *FIELDS)]
    commands = [frame for frame in shown if frame[1] >= 45 and frame[2] in (5, 6)]
    assert len(commands) == 13
    for number, kind, cause, _, station, point in commands:
        row = rows[number]
        assert (row["operation"], row["operation_class"]) == TYPES[kind]
        assert row["object"] == f"point {point}"
        assert row["server_station"] == f"station {station}"
        # Confirmed by the same station and point, or by each station where all were asked.
        confirmations = [
            frame
            for frame in shown
            if frame[0] > number
            and (frame[1] == kind and frame[2] == 7 if cause == 6 else frame[1] < 45 and frame[2] == 5)
            and frame[5] == point
            and station in (frame[4], 65_535)
        ]
        first = confirmations[0]
        assert row["response_frame"] == first[0], row
        assert row["outcome"] == ("exception" if first[3] else "answered")


def test_values_of_iec104_are_counted_by_kind_cause_and_station() -> None:
    file = RECORDED / "iec104.pcap"
    counted = [
        row for row in operations(file) if row["outcome"] == "one_way" and row["operation_class"] == "read"
    ]
    shown = [list(map(_number, frame)) for frame in tshark(file, "iec60870_asdu.typeid < 45", *FIELDS)]
    unasked = [frame for frame in shown if frame[2] != 5]
    assert sum(row["messages"] for row in counted) == len(unasked)
    periodic = next(row for row in counted if row["detail"] == "periodic")
    assert periodic["messages"] == len([frame for frame in unasked if frame[2] == 1])
    assert (periodic["value"], periodic["object"], periodic["server_port"]) == ("21.5", "point 11", 2_404)
    assert periodic["span_ns"] > 3_000_000_000


def test_tags_of_ethernet_ip_are_what_wireshark_says() -> None:
    file = RECORDED / "enip.pcap"
    rows = operations(file)
    shown = tshark(file, "cip.rr == 0 && cip.symbol", "frame.number", "cip.symbol", "cip.sc")
    named = {0x4C: "read tag", 0x4D: "write tag"}
    theirs = []
    for number, symbols, services in shown:
        # The services that wrap or bundle come along with the ones inside them.
        inside = [int(code, 16) for code in services.split(",") if int(code, 16) in named]
        theirs += [
            (int(number), symbol, named[code])
            for symbol, code in zip(symbols.split(","), inside, strict=True)
        ]
    ours = [
        (row["request_frame"], row["object"].partition("[")[0], row["operation"])
        for row in rows
        if row["operation"] in named.values()
    ]
    assert sorted(ours) == sorted(theirs)
    assert {row["server_station"] for row in rows if row["operation"] in named.values()} == {
        "port 1 address 0"
    }


def test_the_identity_of_a_device_reaches_the_inventory() -> None:
    file = RECORDED / "enip.pcap"
    told = {row["kind"]: row["value"] for row in read(file)["observations"] if row["source"] == "cip"}
    shown = tshark(file, "enip.lir.name", "enip.lir.name", "enip.lir.revision", "enip.lir.serial")
    name, revision, serial = shown[0]
    major, minor = divmod(int(revision), 256)
    assert told["model"] == name
    assert told["firmware"] == f"{major}.{minor:03}"
    assert told["vendor"] == "Rockwell Automation/Allen-Bradley"
    assert told["serial_number"] == f"{int(serial, 16):08x}"


def test_a_message_that_the_encapsulation_refuses_has_failed() -> None:
    rows = [row for row in operations(RECORDED / "enip.pcap") if row["outcome"] == "exception"]
    assert [row["error_code"] for row in rows] == [8]


def _number(text: str) -> int:
    return {"True": 1, "False": 0, "1": 1, "0": 0}.get(text) or int(text or "0", 0)
