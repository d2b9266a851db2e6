"""S7comm-plus: what a client of a free stack says that it asked and got, and bodies crafted as research tells them.

tshark 4.0 has no dissector for it: the second opinion is the recorded client's own account (`recorded/README.md`).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sensors.conversations import Turn, capture, read

RECORDED: Final = Path(__file__).parent / "recorded"

#: What the client did, in its order: operation, class, object, quantity, value, outcome.
DONE: Final = [
    ("begin TLS", "session", "", None, "", "answered"),
    ("create object", "session", "class 287 in object 0x0000011d", None, "", "answered"),
    ("set multiple variables", "session", "object 0x00000001 attribute 306", 1, "", "answered"),
    ("get variable substream", "read", "object 0x00000001", None, "", "answered"),
    # db_read(1, 0, 4); then (1, 0, 4), (1, 4, 4), (1, 8, 2): behind a 3, the first byte and how many.
    ("get multiple variables", "read", "DB 1 LID 3.0.4", 1, "00000000", "answered"),
    (
        "get multiple variables",
        "read",
        "DB 1 LID 3.0.4, DB 1 LID 3.4.4, DB 1 LID 3.8.2",
        3,
        "00000000, 00000000, 0000",
        "answered",
    ),
    # db_write(1, 4, 10.0); then 2.0 and 7.
    ("set multiple variables", "write", "DB 1 LID 3.4.4", 1, "41200000", "answered"),
    ("set multiple variables", "write", "DB 1 LID 3.0.4, DB 1 LID 3.8.2", 2, "40000000, 0007", "answered"),
    # write_area(memory, 0, two bytes), and blocks that there are not.
    ("set multiple variables", "write", "memory LID 3.0.2", 1, "0102", "exception"),
    ("set multiple variables", "write", "DB 99 LID 3.0.4", 1, "01020304", "exception"),
    ("get multiple variables", "read", "DB 99 LID 3.0.4", 1, "", "exception"),
    ("explore", "discover", "object 0x00000003", None, "", "answered"),
    ("explore", "discover", "processor", None, "", "answered"),
    ("explore", "discover", "object 0x00000003", None, "", "answered"),
    # Its own session, which the header names.
    ("delete object", "session", "object 0x00000000", None, "", "answered"),
    ("disconnect", "session", "", None, "", "one_way"),
]

#: The error that the client was told, in the lowest 16 bits with a sign.
REFUSED: Final = 65_536 - 33_028


def shown(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    columns = ("operation", "operation_class", "object", "quantity", "value", "outcome")
    return [tuple(row[column] for column in columns) for row in rows]


def test_what_the_client_of_a_free_stack_did_is_in_the_rows() -> None:
    rows = read(RECORDED / "s7plus.pcap")["operations"]
    assert [row["operation"] for row in rows[:1]] == ["connect"]
    assert shown(rows[1:]) == DONE
    assert [row["error_code"] for row in rows if row["outcome"] == "exception"] == [REFUSED] * 3
    # One request, the third, is of version 2; the second one has a session of its own, as there is none yet.
    versions, sessions = [1, 1, 2, *[1] * 12], [0, 0x120, *[1] * 13]
    assert [row["detail"].partition(" -> ")[0] for row in rows[1:-1]] == [
        f"version {version}, session 0x{session:08x}, sequence {sequence}"
        for sequence, (version, session) in enumerate(zip(versions, sessions, strict=True))
    ]


def plus(
    version: int, code: int, function: int, sequence: int, data: bytes, *, trailer: bool = True
) -> bytes:
    """A unit in TPKT and COTP; a response has no session."""
    session = struct.pack(">I", 0x387) if code == 0x31 else b""
    digest = bytes([32]) + bytes(32) if version == 3 else b""
    body = digest + struct.pack(">BHHHH", code, 0, function, 0, sequence) + session + b"\x34" + data
    unit = struct.pack(">BBH", 0x72, version, len(body)) + body
    unit += struct.pack(">BBH", 0x72, version, 0) if trailer else b""
    return struct.pack(">BBHBBB", 3, 0, 7 + len(unit), 2, 0xF0, 0x80) + unit


def operations(tmp_path: Path, turns: list[Turn]) -> list[dict[str, Any]]:
    return read(capture(tmp_path / "plus.pcap", turns, 102))["operations"]


def set_variable(object_id: int, attribute: bytes, value: bytes) -> bytes:
    return struct.pack(">I", object_id) + b"\1" + attribute + value + bytes(8)


@pytest.mark.parametrize(
    ("wanted", "name", "value"),
    [(1, "stop", "stop"), (3, "start", "run"), (9, "other", "operating state 9")],
)
def test_a_processor_that_is_asked_to_stop_or_to_run_is_told_by_its_class(
    tmp_path: Path, wanted: int, name: str, value: str
) -> None:
    """Attribute 2167 (0x90 0x77) of object 52, a DINT."""
    asks = set_variable(52, b"\x90\x77", bytes([0, 8, wanted]))
    (row,) = operations(
        tmp_path, [("client", plus(2, 0x31, 0x04F2, 5, asks)), ("server", plus(2, 0x32, 0x04F2, 5, b"\0\0"))]
    )
    assert (row["operation"], row["operation_class"], row["value"]) == ("set variable", name, value)
    assert row["object"] == "processor attribute 2167"


def test_another_attribute_of_the_processor_is_a_write_without_its_value(tmp_path: Path) -> None:
    asks = set_variable(52, b"\x90\x78", b"\0\x08\1")
    (row,) = operations(
        tmp_path, [("client", plus(2, 0x31, 0x04F2, 5, asks)), ("server", plus(2, 0x32, 0x04F2, 5, b"\0\0"))]
    )
    assert (row["operation_class"], row["value"]) == ("write", "")


def test_what_proves_a_user_is_never_shown(tmp_path: Path) -> None:
    """A session's attribute 1846 takes what a password becomes."""
    secret = b"planted-proof-of-a-password"
    asks = set_variable(0x387, b"\x8e\x36", b"\x10\x02" + bytes([len(secret)]) + secret)
    rows = read(
        capture(
            tmp_path / "plus.pcap",
            [("client", plus(3, 0x31, 0x04F2, 5, asks)), ("server", plus(3, 0x32, 0x04F2, 5, b"\0\0"))],
            102,
        )
    )
    (row,) = rows["operations"]
    assert (row["operation_class"], row["object"]) == ("session", "object 0x00000387 attribute 1846")
    assert row["detail"] == "version 3, session 0x00000387, sequence 5, with a digest"
    assert secret.hex() not in str(rows)
    assert "planted" not in str(rows)


def test_an_object_that_is_no_session_is_a_program_s_and_a_refusal_has_its_error(tmp_path: Path) -> None:
    """A block (class 2574) made in object 3; error -12: there is no such object."""
    makes = struct.pack(">I", 3) + b"\0\4\0" + bytes(4) + b"\xa1" + bytes(4) + b"\x94\x0e\0\0\xa2" + bytes(4)
    refused = b"\x83\xff\x74"
    (row,) = operations(
        tmp_path, [("client", plus(3, 0x31, 0x04CA, 5, makes)), ("server", plus(3, 0x32, 0x04CA, 5, refused))]
    )
    assert (row["operation_class"], row["object"]) == ("program", "class 2574 in object 0x00000003")
    assert (row["outcome"], row["error_code"]) == ("exception", 12)
    assert row["detail"].endswith(" -> error -12")


def test_the_rest_of_a_longer_message_is_no_message_of_its_own(tmp_path: Path) -> None:
    """Its bytes may look like any opcode; only the last unit has a trailer."""
    rest = plus(1, 0x31, 0x0542, 9, b"\0\0\0\0")
    turns: list[Turn] = [
        ("client", plus(1, 0x31, 0x0542, 5, bytes(40), trailer=False) + rest),
        ("server", plus(1, 0x32, 0x0542, 5, b"\0\0")),
        ("client", plus(1, 0x31, 0x04BB, 6, b"\0\0\0\x03")),
        ("server", plus(1, 0x32, 0x04BB, 6, b"\0")),
    ]
    rows = operations(tmp_path, turns)
    assert [(row["operation"], row["outcome"]) for row in rows] == [
        ("set multiple variables", "answered"),
        ("explore", "answered"),
    ]


def test_a_body_of_an_unknown_kind_leaves_the_row_as_its_header_says(tmp_path: Path) -> None:
    """A structure among the values: what is behind it cannot be found, and nothing is guessed."""
    item = b"\0\x88\xd0\xb8\x80\x01\2\x93\x76\x04"
    asks = bytes(4) + b"\1\4" + item
    answer = b"\0\1\0\x17\0\0\0\1" + bytes(12)
    (row,) = operations(
        tmp_path, [("client", plus(1, 0x31, 0x054C, 5, asks)), ("server", plus(1, 0x32, 0x054C, 5, answer))]
    )
    assert (row["object"], row["value"], row["outcome"]) == ("DB 1 LID 4", "", "answered")
    for length in range(len(asks)):
        (row,) = operations(tmp_path, [("client", plus(1, 0x31, 0x054C, 5, asks[:length]))])
        assert row["operation"] == "get multiple variables"
