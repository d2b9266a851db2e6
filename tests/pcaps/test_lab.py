"""A seed makes the same bytes every time, and they are the committed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcaps import FOLDER
from pcaps.lab import files
from pcaps.lab.__main__ import main
from pcaps.lab.scenarios import SCENARIOS
from pcaps.lab.scenarios.base import Scenario

SMALLEST = "conduit-misuse"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_seed_makes_the_committed_bytes(scenario: Scenario) -> None:
    assert files.differing(files.contents(scenario), FOLDER) == []


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
