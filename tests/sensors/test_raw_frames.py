"""Raw frames: every sample capture read as an independent reader reads it, and written again unchanged."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pcaps import sample
from sensors.capture import CaptureUnreadable, open_capture
from sensors.engine import decode
from sensors.pcapng_file import PcapngFile
from sensors.raw_frames import Frame, frames_of
from tests.support import pcap_bytes
from tests.support.pcap_records import records


@pytest.mark.parametrize("order", ["<", ">"])
def test_frames_of_a_pcap_in_both_byte_orders(tmp_path: Path, order: str) -> None:
    import struct

    file = tmp_path / "x.pcap"
    head = struct.pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    file.write_bytes(head + struct.pack(f"{order}IIII", 7, 123_456_789, 3, 60) + b"abc")
    assert list(frames_of(open_capture(file))) == [Frame(1, 7_123_456_789, 1, b"abc", 60)]


@pytest.mark.parametrize("name", ["arp-flip", "link-cut"])
def test_a_sample_has_the_frames_that_the_engine_counts(name: str) -> None:
    capture = open_capture(sample(name).capture)
    found = list(frames_of(capture))
    with decode(capture) as run:
        for _ in run:
            pass
        summary = run.summary()
    assert len(found) == summary["frames"] == found[-1].number
    assert (found[0].ts_ns, found[-1].ts_ns) == (summary["first_ts_ns"], summary["last_ts_ns"])


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    capture = open_capture(sample("arp-flip").capture)
    made = []
    for _ in range(2):
        out = io.BytesIO()
        file = PcapngFile(out, "a test", "Ölmühle")
        for frame in frames_of(capture):
            file.add(frame, "said" if frame.number % 3 else "")
        made.append(out.getvalue())
    assert made[0] == made[1]
    (tmp_path / "again.pcapng").write_bytes(made[0])
    assert records(tmp_path / "again.pcapng") == records(capture.path)


def test_a_file_that_ends_inside_a_frame_ends_before_it(tmp_path: Path) -> None:
    whole = pcap_bytes.pcap([b"a" * 60, b"b" * 60])
    for cut in range(25, len(whole)):
        file = tmp_path / "cut.pcap"
        file.write_bytes(whole[:cut])
        found = [frame.data[:1] for frame in frames_of(open_capture(file))]
        assert found == [b"a", b"b"][: (cut - 24) // 76]


def test_noise_is_refused_or_read_without_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "noise.pcapng"
    file.write_bytes(b"no capture at all")
    with pytest.raises(CaptureUnreadable, match="is no pcap and no pcapng"):
        list(frames_of(open_capture(file)))
    whole = sample("arp-flip").capture.read_bytes()[:700]
    for at in range(4, len(whole), 3):
        file.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        assert all(isinstance(frame, Frame) for frame in frames_of(open_capture(file)))
