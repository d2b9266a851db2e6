"""A real plant's S7comm and EtherNet/IP: every operation that Wireshark sees; none in the other captures."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.sensors.conversations import read, tshark
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures

pytestmark = needs_captures

PLANT = NAMES[2]

S7 = {0x04: "read variables", 0x05: "write variables"}


def test_jobs_are_as_many_as_wireshark_counts() -> None:
    file = FOLDER / PLANT
    rows = [row for row in read(file)["operations"] if row["service"] == "s7comm"]
    shown = tshark(file, "s7comm", "s7comm.header.rosctr", "s7comm.param.func")
    theirs: Counter[str] = Counter()
    for kinds, functions in shown:
        for kind, function in zip(kinds.split(","), functions.split(","), strict=True):
            if int(kind) == 1:
                theirs[S7[int(function, 16)]] += 1
    assert Counter(row["operation"] for row in rows) == theirs
    assert sum(theirs.values()) > 1_000
    # The capture ends before two of the answers.
    assert Counter(row["outcome"] for row in rows) == {"answered": sum(theirs.values()) - 2, "pending": 2}


def test_services_are_as_many_as_wireshark_counts() -> None:
    file = FOLDER / PLANT
    rows = [row for row in read(file)["operations"] if row["service"] == "enip"]
    theirs: Counter[int] = Counter()
    for (services,) in tshark(file, "cip", "cip.service"):
        theirs.update(int(code, 16) for code in services.split(","))
    # What bundles or wraps other messages is no operation of its own.
    named = {0x4C: "service 0x4c of class 0x72", 0x4E: "read modify write tag", 0x01: "get attributes all"}
    assert Counter(row["operation"] for row in rows) == {name: theirs[code] for code, name in named.items()}
    assert {row["outcome"] for row in rows} == {"answered"}


def test_names_that_profinet_devices_are_searched_by_are_told() -> None:
    file = FOLDER / PLANT
    rows = [row for row in read(file)["operations"] if row["service"] == "profinet"]
    shown = tshark(file, "pn_dcp", "frame.number", "pn_dcp.suboption_device_nameofstation")
    assert [(row["request_frame"], row["object"]) for row in rows] == [
        (int(number), f"station name {name}") for number, name in shown
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name != PLANT])
def test_other_captures_have_no_operations(name: str) -> None:
    assert "operations" not in read(FOLDER / name)
