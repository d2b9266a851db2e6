"""Small commands start without the heavy engines: an embedded database alone is 300 MiB."""

from __future__ import annotations

import json
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
