"""What a real BACnet stack said to itself, against Wireshark's dissection of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import read, tshark

FILE: Final = Path(__file__).parent / "recorded" / "bacnet.pcap"

#: Services by number (ASHRAE 135, 21), with the class of what they do.
CONFIRMED: Final = {
    1: ("change of value", "read"),
    5: ("subscribe to changes", "read"),
    12: ("read property", "read"),
    14: ("read properties", "read"),
    15: ("write property", "write"),
    17: ("device communication control", ""),
    20: ("reinitialize device", "restart"),
}
UNCONFIRMED: Final = {0: "I am", 1: "I have", 6: "time synchronization", 7: "who has", 8: "who is"}

#: Types of the protocol's data units: answers that end a request.
ANSWERS: Final = (2, 3, 5, 6)


def rows() -> list[dict[str, Any]]:
    return read(FILE)["operations"]


def test_every_request_and_its_answer_are_what_wireshark_says() -> None:
    fields = ("frame.number", "bacapp.type", "bacapp.invoke_id", "bacapp.confirmed_service", "udp.srcport")
    shown = [[int(value or -1) for value in frame] for frame in tshark(FILE, "bacapp.type != 1", *fields)]
    requests = [frame for frame in shown if frame[1] == 0]
    ours = {row["request_frame"]: row for row in rows() if row["response_frame"] is not None}
    assert sorted(ours) == [frame[0] for frame in requests]
    for number, _, invoke, service, port in requests:
        row = ours[number]
        name, kind = CONFIRMED[service]
        assert row["operation"] == name
        assert row["operation_class"] == kind or not kind
        answers = [
            frame
            for frame in shown
            if frame[0] > number and frame[1] in ANSWERS and frame[2] == invoke and frame[4] != port
        ]
        assert row["response_frame"] == answers[0][0]
        assert row["outcome"] == ("exception" if answers[0][1] in (5, 6) else "answered")


def test_objects_and_properties_are_those_that_wireshark_names() -> None:
    shown = tshark(
        FILE,
        "bacapp.type == 0 && bacapp.property_identifier && bacapp.confirmed_service in {12, 15}",
        "frame.number",
        "bacapp.objectType",
        "bacapp.instance_number",
        "bacapp.property_identifier",
    )
    types = {0: "analog-input", 2: "analog-value", 5: "binary-value", 8: "device"}
    properties = {28: "description", 70: "model-name", 76: "object-list", 77: "object-name"}
    properties |= {85: "present-value", 87: "priority-array", 117: "units"}
    ours = {row["request_frame"]: row["object"].partition("[")[0] for row in rows()}
    assert len(shown) >= 10
    for number, kind, instance, prop in shown:
        assert ours[int(number)] == f"{types[int(kind)]} {instance} {properties[int(prop)]}"


def test_values_read_and_written_are_those_that_wireshark_shows() -> None:
    by_frame = {row["response_frame"]: row for row in rows()} | {row["request_frame"]: row for row in rows()}
    reals = tshark(
        FILE,
        "bacapp.present_value.real && bacapp.confirmed_service != 1",
        "frame.number",
        "bacapp.present_value.real",
    )
    assert len(reals) == 3
    for number, real in reals:
        assert float(by_frame[int(number)]["value"].split(",")[0]) == float(real.split(",")[0])
    (written,) = (row for row in rows() if row["object"] == "analog-value 7 description")
    assert written["value"] == "changed"
    array = next(row for row in rows() if "[" in row["object"])
    assert (array["object"], array["value"]) == ("device 1001 object-list[0]", "3")


def test_what_is_told_and_looked_for_names_its_object() -> None:
    ours = {row["request_frame"]: row for row in rows() if row["outcome"] == "one_way"}
    shown = tshark(FILE, "bacapp.type == 1", "frame.number", "bacapp.unconfirmed_service")
    assert {number: row["operation"] for number, row in ours.items()} == {
        int(number): UNCONFIRMED[int(service)] for number, service in shown
    }
    objects = {row["operation"]: row["object"] for row in ours.values()}
    assert objects == {
        "who is": "device 1000 to 1100",
        "I am": "device 1001",
        "time synchronization": "",
        "who has": "fan",
        "I have": "binary-value 3",
    }
    changes = [row for row in rows() if row["operation"] == "change of value"]
    assert {row["object"] for row in changes} == {"analog-value 7"}


def test_errors_have_the_class_and_code_that_wireshark_shows() -> None:
    fields = ("frame.number", "bacapp.error_class", "bacapp.error_code")
    ours = {row["response_frame"]: row["error_code"] for row in rows()}
    shown = tshark(FILE, "bacapp.type == 5", *fields)
    assert len(shown) == 7
    for number, _, code in shown:
        assert ours[int(number)] == int(code)


def test_an_answer_in_segments_is_one_and_read_as_far_as_its_first() -> None:
    (row,) = [row for row in rows() if row["request_frame"] == 42]
    segments = tshark(FILE, "bacapp.more_segments == 1", "frame.number")
    assert segments[0] == ["43"]
    assert (row["response_frame"], row["outcome"]) == (43, "answered")
    assert row["value"].startswith("device 1001, analog-value 7, binary-value 3, analog-value 1000, ")


def test_a_password_leaves_no_trace_but_its_presence() -> None:
    tables = read(FILE)
    asked = [row for row in tables["operations"] if row["operation_class"] in ("stop", "start", "restart")]
    assert [row["operation_class"] for row in asked] == ["stop", "start", "restart"]
    assert b"pl4nted-pw" in FILE.read_bytes()
    for row in asked:
        assert "password present" in row["detail"]
    assert "pl4nted" not in str(tables)
    assert b"pl4nted".hex() not in str(tables)


def test_nothing_is_wrong_with_what_a_real_stack_sends() -> None:
    tables = read(FILE)
    assert "anomalies" not in tables
    assert {row["service"] for row in tables["flows"]} == {"bacnet"}
    told = {row["kind"]: row["value"] for row in tables["observations"] if row["source"] == "bacnet"}
    assert told == {"role": "BACnet device 1001", "vendor": "BACnet vendor 999", "model": "AHU-7"}
