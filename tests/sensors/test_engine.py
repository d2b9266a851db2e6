"""Decoding runs: the same rows whatever the batches, threads that end, faults that are named."""

from __future__ import annotations

import gzip
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from sensors import _native
from sensors.capture import CaptureUnreadable, open_capture
from sensors.engine import DecodeRun, EngineFault, EngineLimits, Position, decode
from tests.sensors.talks import decoded, rows_of, talk, write_pcap
from tests.support.pcap_bytes import pcap


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_pcap(tmp_path / "talk.pcap", talk(200) + talk(50, sport=40_001))


def decoding_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "geophone-decode"]


@pytest.mark.parametrize("max_packets", [1, 7, 64, 65_536])
def test_rows_do_not_depend_on_the_batches_they_come_in(capture: Path, max_packets: int) -> None:
    assert decoded(capture, max_packets=max_packets) == decoded(capture)


@pytest.mark.parametrize("max_packets", [1, 100, 65_536])
def test_decoding_ahead_gives_the_same_batches_and_progress(capture: Path, max_packets: int) -> None:
    def history(*, ahead: bool) -> list[tuple[Any, ...]]:
        with decode(capture, max_packets=max_packets, ahead=ahead) as run:
            steps = [(batches, run.position(), run.summary()) for batches in run]
            return [*steps, (run.position(), run.summary())]

    assert history(ahead=True) == history(ahead=False)


def test_every_flow_is_introduced_before_it_is_named(capture: Path) -> None:
    known: set[int] = set()
    with decode(capture, max_packets=5) as run:
        for batches in run:
            if "flow_starts" in batches:
                known.update(batches["flow_starts"].column("flow_id").to_pylist())
            for batch in batches.values():
                if "flow_id" in batch.schema.names:
                    assert set(batch.column("flow_id").to_pylist()) - {None} <= known
    assert known == {1, 2}


def test_position_runs_from_nothing_to_the_whole_file(capture: Path) -> None:
    size = capture.stat().st_size
    with decode(capture, max_packets=100) as run:
        assert run.position() == Position(0, size)
        shares = [run.position().share for _ in run]
        assert run.position() == Position(size, size)
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1


def test_position_of_a_gzip_capture_counts_the_bytes_on_disk(capture: Path) -> None:
    packed = capture.with_suffix(".pcap.gz")
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    with decode(packed) as run:
        rows = rows_of(run)
        assert run.position() == Position(packed.stat().st_size, packed.stat().st_size)
    assert rows == decoded(capture)


def test_summary_counts_the_frames_of_the_whole_capture(capture: Path) -> None:
    with decode(capture, ahead=True) as run:
        assert run.summary()["frames"] == 0
        assert sum(1 for _ in run) >= 1
        assert run.summary()["frames"] == len(talk(200)) + len(talk(50))


def test_leaving_early_ends_the_decoding_thread(capture: Path) -> None:
    with decode(capture, max_packets=1, ahead=True) as run:
        next(run)
        assert len(decoding_threads()) == 1
    assert decoding_threads() == []
    assert list(run) == []


def test_an_error_of_the_reader_ends_the_decoding_thread(capture: Path) -> None:
    with pytest.raises(ZeroDivisionError), decode(capture, max_packets=1, ahead=True) as run:
        for _ in run:
            _ = 1 / 0
    assert decoding_threads() == []


def test_reading_to_the_end_ends_the_decoding_thread_without_close(capture: Path) -> None:
    run = decode(capture, ahead=True)
    assert sum(1 for _ in run) >= 1
    assert decoding_threads() == []


def test_an_unread_run_starts_no_thread(capture: Path) -> None:
    with decode(capture, ahead=True):
        assert decoding_threads() == []


class BrokenDecoder:
    """Decodes two batches of one frame each, then fails as told: no input makes the real decoder panic."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure
        self.frames = 0

    def used_up(self) -> bool:
        return False

    def next_batches(self, max_packets: int) -> dict[str, Any]:
        if self.frames == 2:
            raise self.failure
        self.frames += 1
        return {}

    def position(self) -> tuple[int, int]:
        return (self.frames, 10)

    def summary(self) -> dict[str, int]:
        return {"frames": self.frames}


@pytest.mark.parametrize("ahead", [False, True])
def test_a_panic_becomes_a_fault_that_names_the_frame(capture: Path, ahead: bool) -> None:
    decoder: Any = BrokenDecoder(_native.DecoderFault("the decoder failed at frame 3: a bug", 3))
    run = DecodeRun(open_capture(capture), decoder, 1, ahead=ahead)
    with pytest.raises(EngineFault, match=r"talk\.pcap: the decoder failed at frame 3: a bug") as fault:
        list(run)
    assert fault.value.frame == 3
    assert decoding_threads() == []


@pytest.mark.parametrize("ahead", [False, True])
def test_any_other_failure_reaches_the_reader_as_it_is(capture: Path, ahead: bool) -> None:
    decoder: Any = BrokenDecoder(MemoryError("no room"))
    with pytest.raises(MemoryError, match="no room"):
        list(DecodeRun(open_capture(capture), decoder, 1, ahead=ahead))
    assert decoding_threads() == []


def test_bytes_that_are_no_capture_are_refused_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "notes.pcap"
    file.write_text("these are the minutes of the meeting")
    with pytest.raises(CaptureUnreadable, match=r"notes\.pcap: byte 0: .*; give a pcap or pcapng") as refusal:
        decode(file)
    assert (refusal.value.file, refusal.value.byte_offset) == (file, 0)


def test_half_a_file_header_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "half.pcap"
    file.write_bytes(pcap([])[:13])
    with pytest.raises(CaptureUnreadable, match=r"half\.pcap"):
        decode(file)


def test_a_missing_capture_is_refused_before_the_first_batch(tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable, match="no such file"):
        decode(tmp_path / "nowhere.pcap", ahead=True)


def test_limits_are_the_engines_own() -> None:
    assert asdict(EngineLimits()) == {name: default for name, (default, _) in _native.limits().items()}
    assert list(EngineLimits.meanings()) == [field.name for field in fields(EngineLimits)]
    assert all(EngineLimits.meanings().values())


def test_a_small_flow_table_pushes_out_the_quietest_flow_and_says_so(tmp_path: Path) -> None:
    frames = [frame for number in range(20) for frame in talk(1, sport=40_000 + number)[:4]]
    file = write_pcap(tmp_path / "flood.pcap", frames)
    rows = decoded(file, limits=EngineLimits(flow_limit=4))
    reasons = [flow["end_reason"] for flow in rows["flows"]]
    assert reasons.count("evicted") == 16
    assert sum(minute["evicted_flows"] for minute in rows["coverage"]) == 16


def test_a_large_enough_flow_table_evicts_nothing(tmp_path: Path) -> None:
    frames = [frame for number in range(20) for frame in talk(1, sport=40_000 + number)[:4]]
    rows = decoded(write_pcap(tmp_path / "flood.pcap", frames), limits=EngineLimits(flow_limit=20))
    assert {flow["end_reason"] for flow in rows["flows"]} == {"end_of_capture"}


def test_a_capture_with_more_flows_than_can_be_numbered_is_refused_with_the_way_out(tmp_path: Path) -> None:
    frames = [frame for number in range(20) for frame in talk(1, sport=40_000 + number)[:4]]
    file = write_pcap(tmp_path / "flows.pcap", frames)
    with (
        decode(file, limits=EngineLimits(flow_numbers=16)) as run,
        pytest.raises(CaptureUnreadable) as refusal,
    ):
        list(run)
    assert (refusal.value.file, refusal.value.problem) == (
        file,
        "holds more flows than can be numbered: all numbers were used at frame 29",
    )
    assert refusal.value.repair == "cut it in parts there: editcap -r FILE PART 1-29"


def test_a_capture_whose_flows_can_be_numbered_is_read_whole(tmp_path: Path) -> None:
    frames = [frame for number in range(20) for frame in talk(1, sport=40_000 + number)[:4]]
    rows = decoded(write_pcap(tmp_path / "flows.pcap", frames), limits=EngineLimits(flow_numbers=100))
    assert [flow["flow_id"] for flow in rows["flows"]] == list(range(1, 21))


def test_a_limit_of_nothing_is_refused_by_name(capture: Path) -> None:
    with pytest.raises(ValueError, match="flow_limit"):
        decode(capture, limits=EngineLimits(flow_limit=0))
