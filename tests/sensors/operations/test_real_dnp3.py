"""What a real DNP3 master and outstation said to each other, against Wireshark's dissection of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.sensors.conversations import read, tshark

FILE: Final = Path(__file__).parent / "recorded" / "dnp3.pcap"

#: Application functions by number (IEEE 1815, 4.4), with the class of what they do.
FUNCTIONS: Final = {
    1: ("read", "read"),
    2: ("write", "write"),
    3: ("select", "write"),
    4: ("operate", "write"),
    5: ("direct operate", "write"),
    7: ("freeze", "write"),
    13: ("cold restart", "restart"),
    14: ("warm restart", "restart"),
    20: ("enable unsolicited responses", "configure"),
    21: ("disable unsolicited responses", "configure"),
    22: ("assign class", "configure"),
    25: ("open file", "program"),
    29: ("authenticate file", "session"),
}
CONFIRM, RESPONSE, UNSOLICITED = 0, 129, 130


def rows() -> list[dict[str, Any]]:
    return read(FILE)["operations"]


def messages() -> list[list[int]]:
    """Frame, function, sequence and whether it is the first fragment, of every application fragment."""
    fields = ("frame.number", "dnp3.al.func", "dnp3.al.seq", "dnp3.al.fir")
    shown = tshark(FILE, "dnp3.al.func", *fields)
    return [[{"True": 1, "False": 0}.get(value) or int(value, 0) for value in frame] for frame in shown]


def test_every_request_and_its_answer_are_what_wireshark_says() -> None:
    shown = messages()
    requests = [frame for frame in shown if frame[1] in FUNCTIONS]
    ours = {row["request_frame"]: row for row in rows() if row["response_frame"] is not None}
    assert sorted(ours) == [frame[0] for frame in requests]
    assert len(requests) == 21
    for number, function, sequence, _ in requests:
        row = ours[number]
        assert (row["operation"], row["operation_class"]) == FUNCTIONS[function]
        answers = [
            frame for frame in shown if frame[0] > number and frame[1] == RESPONSE and frame[2] == sequence
        ]
        assert row["response_frame"] == answers[0][0]
        assert (row["client_station"], row["server_station"]) == ("1", "10")


def test_indications_and_refused_commands_are_the_errors() -> None:
    refusing = 0x0F  # Function, object, parameter and more: the second octet's low bits.
    indications = {
        int(number): int(value, 16)
        for number, value in tshark(FILE, "dnp3.al.iin", "frame.number", "dnp3.al.iin")
    }
    status = {
        int(number): int(value)
        for number, value in tshark(
            FILE, "dnp3.al.func == 129 && dnp3.al.ctrlstatus", "frame.number", "dnp3.al.ctrlstatus"
        )
    }
    answered = [row for row in rows() if row["response_frame"] is not None]
    refused = 0
    for row in answered:
        said = indications[row["response_frame"]]
        is_refused = bool(said & refusing) or bool(status.get(row["response_frame"], 0))
        assert row["outcome"] == ("exception" if is_refused else "answered"), row
        if said & refusing:
            assert row["error_code"] == said
        refused += is_refused
    assert refused == 5


def test_commands_have_the_point_and_value_that_was_given_to_the_stack() -> None:
    commands = [(row["operation"], row["object"], row["value"].split(" -> ")[0]) for row in rows()]
    pulse = "pulse on close, count 1, on 150 ms, off 50 ms"
    assert ("select", "g12v1 1", pulse) in commands
    assert ("operate", "g12v1 1", pulse) in commands
    assert ("direct operate", "g12v1 2", "latch off, count 1, on 100 ms, off 100 ms") in commands
    assert ("direct operate", "g41v3 1", "12.5") in commands
    assert ("select", "g41v1 0", "-7") in commands


def test_an_answer_in_several_fragments_is_one_row() -> None:
    fragments = [frame for frame in messages() if frame[1] == RESPONSE and not frame[3]]
    assert len(fragments) == 4
    numbers = {row["response_frame"] for row in rows()}
    assert not numbers & {frame[0] for frame in fragments}
    assert not [row for row in rows() if row["outcome"] == "orphan"]


def test_confirmations_and_what_is_unsolicited_are_counted() -> None:
    shown = messages()
    counts = {row["operation"]: 0 for row in rows()}
    for row in rows():
        counts[row["operation"]] += row["messages"]
    assert counts["confirm"] == len([frame for frame in shown if frame[1] == CONFIRM])
    assert counts["unsolicited response"] == len([frame for frame in shown if frame[1] == UNSOLICITED])
    (event,) = [row for row in rows() if row["operation"] == "unsolicited response" and not row["detail"]]
    assert event["object"] == "g2v1 3, g32v1 7"


def test_a_file_is_named_and_a_password_leaves_no_trace_but_its_presence() -> None:
    tables = read(FILE)
    by_name = {row["operation"]: row["value"] for row in tables["operations"]}
    assert by_name["open file"] == "read /config.txt"
    assert by_name["authenticate file"] == "user operator1, password present"
    assert "pl4nted" not in str(tables)
    assert b"pl4nted".hex() not in str(tables)


def test_nothing_is_wrong_with_what_a_real_stack_sends() -> None:
    tables = read(FILE)
    assert "anomalies" not in tables
    assert [(row["service"], row["confidence"]) for row in tables["flows"]] == [("dnp3", "structure")]
