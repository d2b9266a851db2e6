"""What OT operations say beside Wireshark's fields: equal where both read the same, named where not."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from sensors.crosscheck import crosscheck
from tests.sensors.conversations import Turn, capture
from tests.sensors.crosscheck.apart import compared, differences, read_apart
from tests.sensors.operations.packets import (
    connected,
    dnp3_request,
    dnp3_response,
    enip,
    iec104,
    unconnected,
)
from tests.sensors.operations.test_cip import reply, request

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

RECORDED = Path(__file__).parents[1] / "operations" / "recorded"


@pytest.mark.parametrize(
    ("protocol", "messages", "operations", "answers"),
    [
        ("s7comm", 70, 18, "refused"),
        ("dnp3", 42, 21, "refused"),
        ("bacnet", 38, 19, "refused"),
        ("iec104", 30, 14, "refused"),
        ("enip", 29, 15, "status"),
    ],
)
def test_operations_of_real_stacks(protocol: str, messages: int, operations: int, answers: str) -> None:
    name = {"s7comm": "s7"}.get(protocol, protocol)
    found = crosscheck(RECORDED / f"{name}.pcap")
    fields = compared(found)
    assert fields[protocol, "message"] == fields[protocol, "frame"] == messages
    assert fields[protocol, "request: operation"] == operations
    assert fields[protocol, f"response: {answers}"] > 10
    assert found.agrees


def test_another_operation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(function: int) -> list[Turn]:
        return [("client", dnp3_request(1, function)), ("server", dnp3_response(1))] * 3

    ours = capture(tmp_path / "ours.pcap", talk(13), 20_000)
    theirs = capture(tmp_path / "theirs.pcap", talk(14), 20_000)
    assert set(differences(read_apart(monkeypatch, ours, theirs))) == {
        ("dnp3", "request: operation", "cold restart", "warm restart")
    }


def command(
    kind: int = 45,
    station: int = 7,
    point: int = 100,
    element: bytes = b"\1",
    cause: int = 6,
    answer: int = 7,
) -> list[Turn]:
    """A command and what becomes of it."""
    objects = struct.pack("<I", point)[:3] + element
    start: list[Turn] = [("client", b"\x68\4\7\0\0\0"), ("server", b"\x68\4\x0b\0\0\0")]
    asked = iec104(kind, cause, station, objects)
    return [*start, ("client", asked), ("server", iec104(kind, answer, station, objects, received=1))]


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (command(station=8), {("request: station", "station 7", "station 8")}),
        (command(point=101), {("request: point", "point 100", "point 101")}),
        (command(element=b"\x81"), {("request: state", "on", "select on")}),
        (command(element=b"\0"), {("request: state", "on", "off")}),
        (command(answer=0x47), {("response: refused", "False", "True")}),
        (command(answer=47), {("response: refused", "False", "True")}),
        (command(cause=8, answer=9), {("request: cause", "activation", "deactivation")}),
    ],
)
def test_every_field_of_a_command_that_differs_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: list[Turn],
    wanted: set[tuple[str, str, str]],
) -> None:
    ours = capture(tmp_path / "ours.pcap", command(), 2_404)
    theirs = capture(tmp_path / "theirs.pcap", other, 2_404)
    found = {
        (field, own, shown) for _, field, own, shown in differences(read_apart(monkeypatch, ours, theirs))
    }
    assert wanted <= found
    allowed = {name for name, _, _ in wanted} | {
        "response: station",
        "response: point",
        "response: error code",
    }
    assert {name for name, _, _ in found} <= allowed


@pytest.mark.parametrize("port", [2_404, 12_404])
def test_commands_of_every_kind_have_the_same_values(tmp_path: Path, port: int) -> None:
    turns: list[Turn] = []
    for kind, element in (
        (46, b"\x82"),
        (47, b"\1"),
        (49, struct.pack("<hB", -77, 0)),
        (50, struct.pack("<fB", 0.1, 0)),
    ):
        turns += command(kind, element=element)
    found = crosscheck(capture(tmp_path / "commands.pcap", turns, port), only=("iec104",))
    fields = compared(found)
    assert fields["iec104", "request: operation"] == fields["iec104", "response: operation"] == 8
    assert fields["iec104", "request: state"] == fields["iec104", "request: number"] == 2
    assert fields["iec104", "request: station"] == fields["iec104", "response: point"] == 4


def test_a_value_that_nobody_asked_for_is_explained(tmp_path: Path) -> None:
    """Caused by a request, which the capture does not have."""
    turns: list[Turn] = [*command()]
    turns += [("server", iec104(1, 5, 7, b"\x0c\0\0\1", sent=number)) for number in (1, 2, 3)]
    found = crosscheck(capture(tmp_path / "values.pcap", turns, 2_404), only=("iec104",))
    reasons = {one.explanation for field in found.fields for one in field.differences}
    assert reasons == {"ours: a value that nobody was seen to ask for is counted by the minute"}


def cip_turns(
    service: int = 0x0E, path: str = "2064 2405 3003", status: int = 0, data: bytes = b"\1\2"
) -> list[Turn]:
    """A session, an unconnected message and a connected packet of two."""
    context = bytes(range(8))
    parts = [
        request(0x4C, "9101 4100 2803", b"\1\0"),
        request(0x4D, "9101 4200", struct.pack("<HHH", 0xC3, 1, 9)),
    ]
    answers = [reply(0x4C, 0, b"\xc3\0\5\0"), reply(0x4D, 0x0F)]

    def bundle(messages: list[bytes]) -> bytes:
        start = 2 + 2 * len(messages)
        offsets = [start + sum(map(len, messages[:number])) for number in range(len(messages))]
        return struct.pack(f"<H{len(messages)}H", len(messages), *offsets) + b"".join(messages)

    return [
        ("client", enip(0x65, b"\1\0\0\0")),
        ("server", enip(0x65, b"\1\0\0\0", session=7)),
        ("client", unconnected(request(service, path), context=context)),
        ("server", unconnected(reply(service, status, b"" if status else data), context=context)),
        ("client", connected(5, 9, request(0x0A, "2002 2401", bundle(parts)))),
        ("server", connected(6, 9, reply(0x0A, 0x1E, bundle(answers)))),
    ]


@pytest.mark.parametrize("port", [44_818, 10_818])
def test_messages_within_a_packet_are_compared_one_by_one(tmp_path: Path, port: int) -> None:
    fields = compared(crosscheck(capture(tmp_path / "cip.pcap", cip_turns(), port), only=("enip",)))
    assert fields["enip", "message"] == 8
    assert fields["enip", "request: object"] == 3
    assert fields["enip", "request: value written"] == 1
    assert fields["enip", "response: value read"] == 2
    assert fields["enip", "response: status"] == 4
    assert fields["enip", "response: session"] == 1


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (
            cip_turns(path="2064 2406 3003"),
            ("request: object", "class 100 instance 5 attribute 3", "class 100 instance 6 attribute 3"),
        ),
        (cip_turns(service=0x18), ("request: operation", "get attribute single", "get member")),
        (cip_turns(status=0x14), ("response: status", "0", "20")),
        (cip_turns(data=b"\1\3"), ("response: value read", "0102", "0103")),
    ],
)
def test_every_field_of_a_service_that_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: list[Turn], wanted: tuple[str, str, str]
) -> None:
    ours = capture(tmp_path / "ours.pcap", cip_turns(), 44_818)
    theirs = capture(tmp_path / "theirs.pcap", other, 44_818)
    found = differences(read_apart(monkeypatch, ours, theirs))
    assert [(field, own, shown) for protocol, field, own, shown in found if protocol == "enip"] == [wanted]


def test_a_packet_that_is_refused_as_a_whole_is_explained(tmp_path: Path) -> None:
    turns = cip_turns()
    turns[-1] = ("server", connected(6, 9, reply(0x0A, 0x08)))
    found = crosscheck(capture(tmp_path / "refused.pcap", turns, 44_818), only=("enip",))
    assert {one.explanation for field in found.fields for one in field.differences} == {
        "ours: each message of a packet that was refused as a whole has failed; Wireshark shows one answer"
    }
