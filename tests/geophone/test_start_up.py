"""Small commands start without the heavy engines: an embedded database alone is 300 MiB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], {"polars", "pyarrow", "chdb", "clickhouse_connect", "fastapi"}),
        (["policy", "check", "{policy}"], {"polars", "pyarrow", "chdb", "clickhouse_connect", "fastapi"}),
        (["stats", "{capture}", "--json"], {"pandas", "chdb", "clickhouse_connect", "fastapi"}),
        (["decode", "{capture}", "--table", "modbus"], {"pandas", "chdb", "clickhouse_connect", "fastapi"}),
        (
            ["replay", "{capture}", "--policy", "{policy}"],
            {"pandas", "chdb", "clickhouse_connect", "fastapi"},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_command_leaves_out(arguments: list[str], heavy: set[str], policy: Path, quiet_capture: Path) -> None:
    given = [argument.format(policy=policy, capture=quiet_capture) for argument in arguments]
    script = (
        "import json, sys\nfrom geophone.cli import main\n"
        f"try: main({given!r})\nexcept SystemExit as end: assert not end.code, end.code\n"
        "print(json.dumps(sorted(name for name in sys.modules if '.' not in name)), file=sys.stderr)"
    )
    outcome = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    loaded = set(json.loads(outcome.stderr.splitlines()[-1]))
    assert not loaded & heavy


def test_no_thread_is_made_for_matrices() -> None:
    """NumPy's would bear the process's name; PyArrow's allocator makes one that says what it is."""
    look = """
import os, sys
import geophone
import numpy, polars, pyarrow
names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
own = open("/proc/self/comm").read().strip()
print(names.count(own))
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}

    told = subprocess.run(
        [sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "1", told.stdout


def test_who_wants_threads_for_matrices_is_heard() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    look = "import geophone, os; print(os.environ['OPENBLAS_NUM_THREADS'])"

    told = subprocess.run(
        [sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "2"
