"""How the tests are shared out: what is shared is made once, stores come last, and every test runs once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.sharing_out import FIRST, LAST, TOGETHER, group_of, rank

ROOT = Path(__file__).resolve().parents[1]
_PART = """
import os, pathlib, time, pytest

@pytest.mark.parametrize("number", range(4))
def test_of_this_file(number, request):
    with pathlib.Path({log!r}).open("a") as log:
        log.write(f"{{os.environ['PYTEST_XDIST_WORKER']}} {{request.node.nodeid}}\\n")
    time.sleep(0.02)
"""
_CONFTEST = """
from tests.support.sharing_out import pytest_collection_modifyitems, pytest_xdist_make_scheduler
"""
_FILES = (
    "tests/api/test_a.py",
    "tests/policy/test_b.py",
    "tests/policy/test_c.py",
    "tests/scenarios/test_d.py",
    "tests/scenarios/test_e.py",
    "tests/sensors/test_f.py",
    "tests/store/test_g.py",
)


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/api/test_zones.py::test_one[a::b]", "tests/api/test_zones.py"),
        ("tests/geophone/test_lab.py::TestTruth::test_two", "tests/geophone/test_lab.py"),
        ("tests/scenarios/test_shift.py::test_three", "tests/scenarios/"),
        ("tests/test_habits.py::test_four[tests/scenarios/]", "tests/test_habits.py"),
    ],
)
def test_a_group_is_a_file_or_a_folder_whose_files_share(test: str, group: str) -> None:
    assert group_of(test) == group


def test_every_folder_that_is_named_is_there() -> None:
    assert all((ROOT / folder).is_dir() for folder in (*TOGETHER, *FIRST, *LAST))


def test_folders_that_open_stores_come_after_all_others() -> None:
    places = [rank(f"{folder}test_x.py::test") for folder in (*FIRST, "tests/policy/", "tests/", *LAST)]
    assert places == sorted(places)
    assert places[-len(LAST)] > rank("tests/test_habits.py::test")


def test_a_real_run_keeps_groups_together_in_order_and_runs_every_test_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for file in _FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(_PART.format(log=str(log)))
    options = ("-p", "xdist", "-n", "2", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    ran = [line.split() for line in log.read_text().splitlines()]
    tests = [test for _, test in ran]
    assert sorted(tests) == sorted(f"{file}::test_of_this_file[{n}]" for file in _FILES for n in range(4))
    workers = defaultdict(set)
    for worker, test in ran:
        workers[group_of(test)].add(worker)
    assert all(len(ones) == 1 for ones in workers.values()), workers
    assert {worker for worker, _ in ran} == {"gw0", "gw1"}
    for worker in ("gw0", "gw1"):
        ranks = [rank(test) for one, test in ran if one == worker]
        assert ranks == sorted(ranks)
