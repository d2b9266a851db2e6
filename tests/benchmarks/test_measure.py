"""What a measured command is said to have cost is its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.measure import CommandError, measure

PYTHON = (sys.executable, "-I", "-S", "-c")


def test_memory_of_who_measures_is_not_the_commands() -> None:
    held = b"x" * (400 << 20)
    small, _ = measure([*PYTHON, "pass"])
    large, _ = measure([*PYTHON, "held = b'x' * (200 << 20)"])
    assert len(held) > small.peak_rss_bytes * 4
    assert 195 << 20 < large.peak_rss_bytes - small.peak_rss_bytes < 205 << 20


def test_processor_time_is_the_commands() -> None:
    worked, said = measure(
        [*PYTHON, "import time\nwhile time.process_time() < 0.3: pass\nprint(time.process_time())"]
    )
    assert 0.3 <= float(said) <= worked.cpu_s < 1


def test_it_runs_in_the_folder_and_the_environment_asked_for(tmp_path: Path) -> None:
    said = measure(
        [*PYTHON, "import os; print(os.getcwd(), os.environ['ASKED'])"], {"ASKED": "yes"}, folder=tmp_path
    )[1]
    assert said == f"{tmp_path} yes\n"


def test_a_command_that_ends_badly_or_is_not_there_is_no_figure() -> None:
    with pytest.raises(CommandError, match=r"status 3: why$"):
        measure([*PYTHON, "import sys; print('why', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(CommandError, match="no-such-command: not run"):
        measure(["no-such-command"])
    assert measure([*PYTHON, "raise SystemExit(3)"], statuses=(0, 3))[1] == ""
