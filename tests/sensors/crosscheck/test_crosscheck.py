"""Both decoders over the same capture agree; over captures that differ in one thing, that thing is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sensors.capture import Capture, open_capture
from sensors.crosscheck import Crosscheck, Difference, crosscheck
from sensors.crosscheck import compare as module
from sensors.crosscheck.own import OwnRows
from sensors.engine import EngineLimits
from tests.sensors.talks import adu, read_request, read_response, talk, write_pcap
from tests.support.pcap_bytes import ACK, PSH, tcp_exchange, tcp_frame

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

Against = Callable[[list[bytes], list[bytes]], Crosscheck]


@pytest.fixture
def against(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Against:
    """Our engine reads the first frames, Wireshark the second."""

    def run(ours: list[bytes], theirs: list[bytes]) -> Crosscheck:
        own = open_capture(write_pcap(tmp_path / "ours.pcap", ours))

        def reading(_: Capture, tables: tuple[str, ...], limits: EngineLimits | None) -> OwnRows:
            return OwnRows(own, tables, limits)

        monkeypatch.setattr(module, "OwnRows", reading)
        return crosscheck(write_pcap(tmp_path / "theirs.pcap", theirs))

    return run


def differences(found: Crosscheck) -> list[Difference]:
    return [one for field in found.fields for one in field.differences if not one.explanation]


def with_other(frames: list[bytes], number: int, old: bytes, new: bytes) -> list[bytes]:
    """The frames, one of them (from 1) with other bytes."""
    assert frames[number - 1].count(old) == 1
    changed = list(frames)
    changed[number - 1] = frames[number - 1].replace(old, new)
    return changed


def test_one_capture_agrees_in_every_field(tmp_path: Path) -> None:
    found = crosscheck(write_pcap(tmp_path / "talk.pcap", talk(20)))
    assert found.agrees
    assert differences(found) == []
    compared = {(field.protocol, field.field): field.compared for field in found.fields}
    assert compared["modbus", "message"] == 40
    assert compared["modbus", "response: values read"] == 20
    assert compared["modbus", "response: response time"] == 20
    assert compared["tcp", "client"] == compared["tcp", "handshake round trip"] == 1
    # Each answer acknowledges its request, and is acknowledged; SYN-ACK and ACK make two more.
    assert compared["tcp", "round-trip time"] == 42


def test_another_register_value_is_named_with_its_frame_and_both_values(against: Against) -> None:
    frames = talk(5)
    # Frame 5 answers the first request: handshake 3, request 4.
    found = against(frames, with_other(frames, 5, read_response(0, 0), read_response(0, 9)))
    assert not found.agrees
    assert [(one.frame, one.field, one.ours, one.wireshark) for one in differences(found)] == [
        (5, "response: values read", "[0, 0]", "[0, 9]")
    ]


def test_another_quantity_is_named(against: Against) -> None:
    frames = talk(5)
    found = against(frames, with_other(frames, 4, adu(0, read_request(0, 2)), adu(0, read_request(0, 7))))
    assert ("request: quantity", 4, "2", "7") in [
        (one.field, one.frame, one.ours, one.wireshark) for one in differences(found)
    ]


def test_a_transaction_id_that_differs_is_one_field_not_two_lost_messages(against: Against) -> None:
    frames = talk(5)
    changed = with_other(frames, 5, adu(0, read_response(0, 0)), adu(77, read_response(0, 0)))
    found = [(one.field, one.frame) for one in differences(against(frames, changed))]
    assert ("response: transaction id", 5) in found
    assert "message" not in [name for name, _ in found]


def test_a_message_that_only_wireshark_has_is_named(against: Against) -> None:
    frames = talk(5)
    silent = with_other(frames, 16, adu(4, read_request(4)), bytes(12))
    assert ("message", 16, "absent", "request") in [
        (one.field, one.frame, one.ours, one.wireshark) for one in differences(against(silent, frames))
    ]


def test_a_message_that_only_we_have_is_named(against: Against) -> None:
    frames = talk(5)
    silent = with_other(frames, 16, adu(4, read_request(4)), bytes(12))
    assert ("message", 16, "request", "absent") in [
        (one.field, one.frame, one.ours, one.wireshark) for one in differences(against(frames, silent))
    ]


def test_another_end_is_another_flow_on_both_sides(against: Against) -> None:
    found = differences(against(talk(3, sport=40_000), talk(3, sport=40_001)))
    assert {(one.field, one.ours, one.wireshark) for one in found if one.field == "flow"} == {
        ("flow", "[]", "[1]"),
        ("flow", "10.1.0.5:40000 to 10.1.0.9:502", "absent"),
    }


def test_a_frame_more_is_counted(against: Against) -> None:
    frames = talk(3)
    assert ("frames", "14", "15") in [
        (one.field, one.ours, one.wireshark) for one in differences(against(frames[:-1], frames))
    ]


def test_wireshark_learns_of_other_ports_from_us_and_the_reader_is_told(tmp_path: Path) -> None:
    frames = []
    for number in range(3):
        request, response = adu(number, read_request(1)), adu(number, read_response(5, 6))
        frames += tcp_exchange("10.1.0.5", "10.1.0.9", request, response, sport=40_000 + number, dport=5020)
    found = crosscheck(write_pcap(tmp_path / "other-port.pcap", frames))
    assert found.notes == ("tshark was told to read port 5020 as modbus, as we found it there",)
    (messages,) = [field for field in found.fields if (field.protocol, field.field) == ("modbus", "message")]
    assert (messages.compared, messages.matched) == (6, 6)
    assert found.agrees


def test_several_messages_of_one_segment_are_compared_one_by_one(tmp_path: Path) -> None:
    requests = b"".join(adu(number, read_request(number)) for number in range(5))
    responses = b"".join(adu(number, read_response(number, 1)) for number in range(5))
    frames = tcp_exchange("10.1.0.5", "10.1.0.9", requests, responses, sport=40_000, dport=502)
    found = crosscheck(write_pcap(tmp_path / "pipelined.pcap", frames))
    compared = {field.field: (field.compared, field.matched) for field in found.fields}
    assert compared["message"] == (10, 10)
    assert compared["response: values read"] == (5, 5)


def test_each_stream_is_read_the_way_that_reads_more_of_it(tmp_path: Path) -> None:
    """Put in order, a stream that begins in its middle stalls; not put in order, one with a late segment loses it."""
    late = tcp_exchange(
        "10.1.0.6",
        "10.1.0.9",
        adu(1, read_request(1)) + adu(2, read_request(2)),
        b"".join(adu(number, read_response(5, 6)) for number in (1, 2)),
        sport=40_001,
        dport=502,
    )
    up = {
        "src": "10.1.0.6",
        "dst": "10.1.0.9",
        "sport": 40_001,
        "dport": 502,
        "ack": 5001,
        "flags": ACK | PSH,
    }
    first, second = adu(1, read_request(1)), adu(2, read_request(2))
    late[3:4] = [
        tcp_frame(**up, seq=1001 + len(first), payload=second, ip_id=101),  # type: ignore[arg-type]
        tcp_frame(**up, seq=1001, payload=first, ip_id=100),  # type: ignore[arg-type]
    ]
    midstream = talk(4)[3:]
    del midstream[4]
    found = crosscheck(write_pcap(tmp_path / "both.pcap", [*late, *midstream]))
    messages = {field.field: (field.compared, field.matched) for field in found.fields}["message"]
    assert messages == (4 + 7, 4 + 7)


def test_a_retransmission_with_its_copy_is_explained_not_hidden(tmp_path: Path) -> None:
    frames = talk(4)
    # The mirror port saw frame 7 twice.
    found = crosscheck(write_pcap(tmp_path / "copied.pcap", [*frames[:7], frames[6], *frames[7:]]))
    assert differences(found) == []
    explained = {field.field for field in found.fields if field.explained}
    assert "payload bytes c2s" in explained


def test_what_was_not_asked_for_is_not_answered(tmp_path: Path) -> None:
    found = crosscheck(write_pcap(tmp_path / "talk.pcap", talk(3)), only=("modbus",))
    assert {field.protocol for field in found.fields} == {"modbus"}


def test_nothing_compared_is_no_agreement(tmp_path: Path) -> None:
    found = crosscheck(write_pcap(tmp_path / "talk.pcap", talk(3)), only=("udp",))
    assert found.fields == ()
    assert not found.agrees


def test_noise_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    frames = talk(3) + [os.urandom(60) for _ in range(50)] + [frame[:40] for frame in talk(2, sport=41_000)]
    found = crosscheck(write_pcap(tmp_path / "noise.pcap", frames))
    compared = {(field.protocol, field.field): field for field in found.fields}
    assert compared["frame", "frames"].matched == 1
    assert compared["modbus", "message"].matched == 6
