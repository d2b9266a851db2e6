"""A seed makes the same bytes every time, and they are the committed ones."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pcaps import FOLDER, names
from pcaps.lab import files
from pcaps.lab.__main__ import main
from pcaps.lab.notes import Notes
from pcaps.lab.packing import pack, unpacked
from pcaps.lab.scenarios import SCENARIOS
from pcaps.lab.scenarios.base import Scenario
from pcaps.lab.synth.pcapng import Frame

SMALLEST = "arp-flip"


COMMITTED = [scenario for scenario in SCENARIOS if scenario.committed]


@pytest.mark.parametrize("scenario", COMMITTED, ids=lambda scenario: scenario.name)
def test_a_seed_makes_the_committed_bytes(scenario: Scenario) -> None:
    assert files.made(scenario).differing(FOLDER) == []


def test_what_is_not_committed_is_not_there() -> None:
    assert not {scenario.name for scenario in SCENARIOS if not scenario.committed} & set(names())


def test_a_packed_capture_is_checked_by_what_is_in_it(tmp_path: Path) -> None:
    frames = [Frame(1_000_000_000 * second, bytes([second]) * 60) for second in range(1, 9)]
    notes = Notes(title="Eight frames", story="None of them means anything.", origin={}, policy="")
    made = files.of("eight", frames, notes, site="nowhere", comment="no seed", packed=True)
    made.write(tmp_path)
    capture = tmp_path / "eight.pcapng.zst"
    assert unpacked(capture.read_bytes()) == made.plain
    assert made.differing(tmp_path) == []

    other_compressor = bytes(pa.Codec("zstd", compression_level=1).compress(made.plain, asbytes=True))
    assert other_compressor != capture.read_bytes()
    capture.write_bytes(other_compressor)
    assert made.differing(tmp_path) == ["eight.toml"]
    (tmp_path / "eight.toml").write_bytes(made.noted(other_compressor))
    assert made.differing(tmp_path) == []

    capture.write_bytes(pack(made.plain[:-1]))
    assert "eight.pcapng.zst" in made.differing(tmp_path)
    capture.write_bytes(other_compressor[:-9])
    assert made.differing(tmp_path) == ["eight.pcapng.zst", "eight.toml"]


def test_a_seed_makes_the_same_bytes_twice_and_another_seed_others() -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == SMALLEST)
    once = scenario.make(scenario.seed)
    assert scenario.make(scenario.seed).frames == once.frames
    assert scenario.make(scenario.seed + 1).frames != once.frames


def test_make_writes_what_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", SMALLEST, "--folder", str(tmp_path)]) == 0
    assert main(["make", SMALLEST, "--check", "--folder", str(tmp_path)]) == 0
    assert "same bytes" in capsys.readouterr().out


def test_check_names_the_file_that_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["make", SMALLEST, "--folder", str(tmp_path)])
    capture = tmp_path / f"{SMALLEST}.pcapng"
    capture.write_bytes(capture.read_bytes()[:-1])
    assert main(["make", SMALLEST, "--check", "--folder", str(tmp_path)]) == 1
    assert f"differs: {SMALLEST}.pcapng" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "normal-shfit"]) == 1
    assert "there are: normal-shift" in capsys.readouterr().err
