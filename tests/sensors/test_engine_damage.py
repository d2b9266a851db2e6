"""Captures that were cut, doubled, thinned or hold nothing: what is whole is read, what is not is said."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sensors.talks import Rows, decoded, talk, write_pcap
from tests.support.pcap_bytes import pcap

_FILE_HEADER = 24
_RECORD_HEADER = 16

Row = dict[str, Any]


def without_frames(rows: Sequence[Row]) -> list[Row]:
    """The rows without what depends on the frames around them."""
    return [{key: row[key] for key in row if key not in ("request_frame", "response_frame")} for row in rows]


def anomaly_kinds(rows: Rows) -> set[str]:
    return {row["kind"] for row in rows.get("anomalies", [])}


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    return talk(40) + talk(3, sport=40_001)


def record_starts(frames: Sequence[bytes]) -> list[int]:
    """Where in the file each record starts; last, where the file ends."""
    starts = [_FILE_HEADER]
    for frame in frames:
        starts.append(starts[-1] + _RECORD_HEADER + len(frame))
    return starts


@pytest.mark.parametrize("kept", [1, 4, 25, 100])
@pytest.mark.parametrize("bytes_of_the_next", [1, _RECORD_HEADER - 1, _RECORD_HEADER, _RECORD_HEADER + 30])
def test_a_cut_capture_gives_the_rows_of_its_whole_frames(
    tmp_path: Path, frames: list[bytes], kept: int, bytes_of_the_next: int
) -> None:
    cut_at = record_starts(frames)[kept] + bytes_of_the_next
    cut_file = tmp_path / "cut.pcap"
    cut_file.write_bytes(pcap(frames)[:cut_at])
    cut = decoded(cut_file)
    whole = decoded(write_pcap(tmp_path / "whole.pcap", frames[:kept]))
    assert anomaly_kinds(cut) == {"capture_cut"}
    del cut["anomalies"]
    assert cut == whole


def test_a_capture_cut_between_two_frames_is_a_whole_capture(tmp_path: Path, frames: list[bytes]) -> None:
    cut_file = tmp_path / "cut.pcap"
    cut_file.write_bytes(pcap(frames)[: record_starts(frames)[25]])
    assert decoded(cut_file) == decoded(write_pcap(tmp_path / "whole.pcap", frames[:25]))


def test_a_truncated_gzip_gives_what_could_be_unpacked(tmp_path: Path) -> None:
    frames = talk(2000)
    packed = gzip.compress(pcap(frames))
    whole_file, cut_file = tmp_path / "whole.pcap.gz", tmp_path / "cut.pcap.gz"
    whole_file.write_bytes(packed)
    cut_file.write_bytes(packed[: len(packed) // 2])
    whole, cut = decoded(whole_file)["modbus"], decoded(cut_file)
    answered = [row for row in cut["modbus"] if row["outcome"] == "answered"]
    assert 100 < len(answered) < len(whole)
    assert answered == whole[: len(answered)]
    assert anomaly_kinds(cut) & {"capture_cut", "read_error"}


def test_every_frame_doubled_gives_the_same_transactions_and_counts_the_copies(
    tmp_path: Path, frames: list[bytes]
) -> None:
    once = decoded(write_pcap(tmp_path / "once.pcap", frames, step_us=1000))
    doubled_file = tmp_path / "twice.pcap"
    records = pcap(frames, step_us=1000)
    starts = record_starts(frames)
    doubled_file.write_bytes(records[:_FILE_HEADER] + b"".join(records[a:b] * 2 for a, b in pairwise(starts)))
    twice = decoded(doubled_file)
    assert without_frames(twice["modbus"]) == without_frames(once["modbus"])
    for one, two in zip(once["flows"], twice["flows"], strict=True):
        assert (two["packets_c2s"], two["packets_s2c"]) == (one["packets_c2s"], one["packets_s2c"])
        assert two["duplicate_packets_c2s"] == one["packets_c2s"]
        assert two["duplicate_packets_s2c"] == one["packets_s2c"]
        assert two["retransmitted_segments_c2s"] == two["retransmitted_segments_s2c"] == 0
    assert [sample["rtt_ns"] for sample in twice["rtt"]] == [sample["rtt_ns"] for sample in once["rtt"]]


def test_every_tenth_frame_lost_by_the_capture_is_a_gap_and_touches_nothing_else(
    tmp_path: Path, frames: list[bytes]
) -> None:
    lost = set(range(9, len(frames), 10))
    _assert_only_gaps_are_touched(tmp_path, frames, lost)


def test_random_frames_lost_by_the_capture_touch_nothing_else(tmp_path: Path, frames: list[bytes]) -> None:
    chance = random.Random(7)
    for _ in range(10):
        lost = {number for number in range(3, len(frames)) if chance.random() < 0.1}
        _assert_only_gaps_are_touched(tmp_path, frames, lost)


def _assert_only_gaps_are_touched(tmp_path: Path, frames: list[bytes], lost: set[int]) -> None:
    """`lost` frames (from 0) never reached the capture: the other transactions are unchanged."""
    whole_file = write_pcap(tmp_path / "whole.pcap", frames)
    records, starts = whole_file.read_bytes(), record_starts(frames)
    thinned = tmp_path / "thinned.pcap"
    kept = [number for number in range(len(frames)) if number not in lost]
    thinned.write_bytes(records[:_FILE_HEADER] + b"".join(records[starts[n] : starts[n + 1]] for n in kept))
    before, after = decoded(whole_file), decoded(thinned)
    new_number = {old + 1: new + 1 for new, old in enumerate(kept)}
    expected = [
        row
        | {
            "request_frame": new_number[row["request_frame"]],
            "response_frame": new_number[row["response_frame"]],
        }
        for row in before["modbus"]
        if row["request_frame"] in new_number and row["response_frame"] in new_number
    ]
    found = {(row["flow_id"], row["request_frame"]): row | {"after_gap": False} for row in after["modbus"]}
    missing = [row for row in expected if found.get((row["flow_id"], row["request_frame"])) != row]
    assert missing == []
    halves = [row for row in after["modbus"] if row["outcome"] != "answered"]
    assert len(halves) == len(
        [
            row
            for row in before["modbus"]
            if (row["request_frame"] in new_number) != (row["response_frame"] in new_number)
        ]
    )
    lost_data = [
        number
        for number in lost
        if number + 1
        in {row[side] for row in before["modbus"] for side in ("request_frame", "response_frame")}
    ]
    totals = {
        name: sum(flow[f"{name}_c2s"] + flow[f"{name}_s2c"] for flow in after["flows"])
        for name in ("unseen_segments", "gap_bytes", "retransmitted_segments")
    }
    assert (totals["gap_bytes"] > 0) == (totals["unseen_segments"] > 0) == bool(lost_data)
    assert totals["retransmitted_segments"] == 0


def test_a_capture_of_no_frames_is_whole_and_has_no_rows(tmp_path: Path) -> None:
    assert decoded(write_pcap(tmp_path / "none.pcap", [])) == {}


def test_an_unknown_link_type_is_counted_unread_and_named_once_not_guessed(tmp_path: Path) -> None:
    rows = decoded(write_pcap(tmp_path / "wpan.pcap", talk(3), link_type=195))
    (minute,) = rows["coverage"]
    assert (minute["link_type"], minute["packets"]) == (195, minute["unread_packets"])
    assert anomaly_kinds(rows) == {"unknown_link_type"}
    assert "flows" not in rows


def test_frames_of_noise_never_stop_the_decoder(tmp_path: Path) -> None:
    chance = random.Random(11)
    noise = [chance.randbytes(chance.randrange(1, 200)) for _ in range(500)]
    rows = decoded(write_pcap(tmp_path / "noise.pcap", [*noise, *talk(3)]))
    assert sum(minute["packets"] for minute in rows["coverage"]) == 500 + len(talk(3))
    assert [row["outcome"] for row in rows["modbus"]] == ["answered"] * 3
