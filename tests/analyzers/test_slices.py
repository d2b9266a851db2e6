"""Which frames are a finding's evidence, and what is said to be missing."""

from __future__ import annotations

from analyzers.findings import Evidence, Finding, Operation
from analyzers.slices import Slice
from tests.store.samples import finding

SECOND_NS = 1_000_000_000
CLIENT, SERVER = bytes([10, 0, 3, 7]), bytes([10, 0, 1, 5])


def found(src: str = "10.0.3.7", dst: str = "10.0.1.5", *operations: tuple[int, int]) -> Finding:
    """From second 100 to second 200, with operations at (frame, second)."""
    evidence = Evidence(
        capture_sha256="ab" * 32,
        first_ns=100 * SECOND_NS,
        last_ns=200 * SECOND_NS,
        operations=tuple(
            Operation(frame=frame, ts_ns=at * SECOND_NS, text=f"at {at} s") for frame, at in operations
        ),
    )
    return finding(1, src_ip=src, dst_ip=dst, evidence=evidence)


def looked(slice_: Slice, *frames: tuple[int, int, bytes]) -> list[str | None]:
    return [slice_.look(number, at * SECOND_NS, data) for number, at, data in frames]


def test_frames_of_both_directions_within_the_time_are_taken() -> None:
    slice_ = Slice(found(), same_capture=True, around_s=5)
    there, back, other = (b"head" + pair + b"rest" for pair in (CLIENT + SERVER, SERVER + CLIENT, SERVER * 2))
    said = looked(slice_, (1, 94, there), (2, 95, there), (3, 150, back), (4, 150, other), (5, 206, there))
    assert said == [None, "", "", None, None]
    assert (slice_.taken, slice_.missing) == (2, [])


def test_a_tunnel_is_looked_into_and_a_payload_far_behind_is_not() -> None:
    slice_ = Slice(found(), same_capture=True, around_s=0)
    assert looked(slice_, (1, 100, bytes(90) + CLIENT + SERVER), (2, 100, bytes(900) + CLIENT + SERVER)) == [
        "",
        None,
    ]


def test_addresses_of_ipv6_are_told_apart() -> None:
    slice_ = Slice(found("fd00::7", "fd00::5"), same_capture=True, around_s=0)
    one, two = (b"\xfd" + bytes(14) + bytes([last]) for last in (7, 5))
    assert looked(slice_, (1, 100, one + two), (2, 100, one + one)) == ["", None]


def test_of_a_scan_every_frame_of_its_source_is_taken() -> None:
    slice_ = Slice(found(dst=""), same_capture=True, around_s=0)
    assert looked(slice_, (1, 100, CLIENT + b"1234"), (2, 100, b"1234" + SERVER)) == ["", None]


def test_frames_that_are_named_are_taken_whatever_they_hold() -> None:
    slice_ = Slice(found("", "", (7, 300), (9, 400)), same_capture=True, around_s=0)
    assert looked(slice_, (6, 150, CLIENT + SERVER), (7, 300, b"arp")) == [None, "at 300 s"]
    assert slice_.missing == ["1 of 2 frames that the finding names"]


def test_in_a_recording_frames_are_known_by_their_times() -> None:
    slice_ = Slice(found("10.0.3.7", "10.0.1.5", (7, 100), (9, 200)), same_capture=False, around_s=0)
    pair = CLIENT + SERVER
    said = looked(slice_, (7, 99, pair), (1, 100, pair), (2, 100, b"another"), (3, 200, pair))
    assert said == [None, "at 100 s", None, "at 200 s"]
    assert slice_.missing == []


def test_a_recording_that_begins_late_or_ends_early_is_partial() -> None:
    slice_ = Slice(found(), same_capture=False, around_s=0)
    looked(slice_, (1, 150, CLIENT + SERVER), (2, 160, b"another"))
    assert slice_.missing == [
        "its beginning (the packets begin later)",
        "its end (the packets end earlier)",
    ]
