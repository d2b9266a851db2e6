"""Captures that grow, folders, packed files: the same rows as the whole file gives."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sensors.capture import CaptureUnreadable, open_capture
from sensors.engine import decode
from sensors.following import Following
from tests.sensors.talks import Rows, decoded, rows_of, talk, write_pcap
from tests.support.pcap_bytes import START_S, pcap


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write_pcap(tmp_path / "whole.pcap", talk(3))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_file_that_grows_byte_by_byte_gives_the_rows_of_the_whole_file(
    whole: Path, tmp_path: Path, packed: bool
) -> None:
    growing = tmp_path / "growing"
    growing.touch()
    content = gzip.compress(whole.read_bytes()) if packed else whole.read_bytes()
    capture = open_capture(growing, follow=True)
    following = _NoWaiting(capture)
    rows = Rows()
    with decode(capture, following=following) as run, growing.open("ab", buffering=0) as writer:
        written = 0
        for batches in run:
            for name, batch in rows_of(iter([batches])).items():  # type: ignore[arg-type]
                rows.setdefault(name, []).extend(batch)
            if written < len(content):
                writer.write(content[written : written + 1])
                written += 1
            else:
                following.stop()
    assert rows == decoded(whole)


class _NoWaiting(Following):
    """Looks again at once: the test decides when something is written."""

    def wait(self) -> None:
        pass


def test_rows_come_while_the_file_still_grows(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    growing = tmp_path / "growing.pcap"
    growing.write_bytes(content[: len(content) // 2])
    capture = open_capture(growing, follow=True)
    following = Following(capture)
    with decode(capture, following=following) as run:
        first = next(run)
        assert "flow_starts" in first
        assert next(run) == {}
        following.stop()
        assert "flows" in {name for batches in run for name in batches}


def test_a_folder_is_read_as_one_capture(tmp_path: Path) -> None:
    frames = talk(30)
    for number, first in enumerate(range(0, len(frames), 40)):
        # 40 frames of a millisecond each: the next file goes on where this one ends.
        part = pcap(frames[first : first + 40], step_us=1_000_000, start_s=START_S + first)
        (tmp_path / f"{9 - number}.pcap").write_bytes(part)
    whole = write_pcap(tmp_path / "whole", frames, step_us=1_000_000)
    rows = decoded(tmp_path)
    assert rows == decoded(whole)
    assert len(rows["flows"]) == 1


def test_a_folder_says_where_each_file_began(tmp_path: Path) -> None:
    for number in (1, 2):
        write_pcap(tmp_path / f"{number}.pcap", talk(1), start_s=START_S + number)
    with decode(tmp_path) as run:
        rows_of(run)
        assert run.summary()["captures"] == {str(tmp_path / "1.pcap"): 1, str(tmp_path / "2.pcap"): 10}
        assert run.position().share == 1.0


class _ComingBetweenTwoLooks(Following):
    """Two files come while the first is waited behind, the later one first; then nothing more does."""

    def wait(self) -> None:
        assert self._folder is not None
        if (self._folder / "2.pcap").exists():
            self.stop()
            return
        for number in (3, 2):
            # Written beside and moved, as careful writers do.
            part = self._folder / f".{number}"
            write_pcap(part, talk(1, sport=50_000 + number), start_s=START_S + number)
            part.rename(self._folder / f"{number}.pcap")


def test_files_that_come_into_a_followed_folder_are_read_in_their_order(tmp_path: Path) -> None:
    write_pcap(tmp_path / "1.pcap", talk(1))
    capture = open_capture(tmp_path, follow=True)
    following = _ComingBetweenTwoLooks(capture)
    with decode(capture, following=following) as run:
        rows = rows_of(run)
    assert [row["client_port"] for row in rows["flow_starts"]] == [40_000, 50_002, 50_003]


@pytest.mark.parametrize("options", [["-3"], ["-19"], ["--no-check"], ["-1", "--single-thread"]])
def test_zstd_gives_the_rows_of_the_plain_file(tmp_path: Path, options: list[str]) -> None:
    whole = write_pcap(tmp_path / "whole.pcap", talk(500))
    packed = tmp_path / "packed"
    subprocess.run(["zstd", "-q", *options, str(whole), "-o", str(packed)], check=True)
    assert decoded(packed) == decoded(whole)


def test_zstd_frames_follow_each_other(tmp_path: Path) -> None:
    whole = write_pcap(tmp_path / "whole.pcap", talk(50))
    content = whole.read_bytes()
    packed = tmp_path / "packed.pcap.zst"
    for part in (content[:1000], content[1000:]):
        with packed.open("ab") as out:
            out.write(subprocess.run(["zstd", "-qc"], input=part, capture_output=True, check=True).stdout)
    assert decoded(packed) == decoded(whole)


def test_a_cut_zstd_file_gives_what_comes_before_the_cut_and_an_anomaly(tmp_path: Path) -> None:
    whole = write_pcap(tmp_path / "whole.pcap", talk(5_000))
    packed = subprocess.run(["zstd", "-qc", str(whole)], capture_output=True, check=True).stdout
    cut = tmp_path / "cut.pcap.zst"
    cut.write_bytes(packed[: len(packed) // 2])
    rows = decoded(cut)
    assert anomalies(rows) == ["read_error"]
    expected = decoded(whole)["modbus"]
    assert 1_000 < len(rows["modbus"]) < len(expected)
    # The last one may wait for a response behind the cut.
    assert rows["modbus"][:-1] == expected[: len(rows["modbus"]) - 1]


def test_a_zstd_file_cut_before_its_first_packet_is_refused(tmp_path: Path) -> None:
    whole = write_pcap(tmp_path / "whole.pcap", talk(10))
    packed = subprocess.run(["zstd", "-qc", str(whole)], capture_output=True, check=True).stdout
    cut = tmp_path / "cut.pcap.zst"
    cut.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(CaptureUnreadable, match=r"cut\.pcap\.zst: it cannot be unpacked"):
        decoded(cut)


def test_a_zstd_window_that_is_too_large_is_refused_with_the_way_out(tmp_path: Path) -> None:
    noise = tmp_path / "noise.pcap"
    noise.write_bytes(pcap([bytes(60_000)] * 3_000))
    packed = tmp_path / "long.pcap.zst"
    subprocess.run(["zstd", "-q", "--long=27", str(noise), "-o", str(packed)], check=True)
    with pytest.raises(CaptureUnreadable, match=r"long\.pcap\.zst.*zstd -d --long=31"):
        decoded(packed)


def anomalies(rows: Rows) -> list[Any]:
    return [row["kind"] for row in rows["anomalies"]]
