"""A command in; its wall time, CPU time and peak memory out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Runs a command and writes down what the kernel says of it. The kernel counts a child's peak memory from the fork on,
# while it still is a copy of its parent: only a small parent gives the figure of the command alone.
_WATCHER = """
import json, os, sys, time
started = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as out:
    json.dump([os.waitstatus_to_exitcode(status), time.perf_counter() - started, usage.ru_utime + usage.ru_stime,
               usage.ru_maxrss * 1024], out)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost. CPU time is user plus system, of the process and all its children it waited for."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


class CommandError(Exception):
    """A measured command ended badly: its figures would mean nothing."""


def measure(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    statuses: Collection[int] = (0,),
) -> tuple[Cost, str]:
    """Run a command to its end, in a folder: its cost and its standard output.

    CommandError where it ends with none of the statuses. The kernel accounts for the command (wait4, as GNU time does
    it), so nothing of this process is counted. Peak memory is the largest resident set of any one process; pages of a
    mapped capture count.
    """
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.NamedTemporaryFile("r") as cost,
    ):
        watcher = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _WATCHER, cost.name, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            check=False,
        )
        out.seek(0)
        err.seek(0)
        said = err.read().decode(errors="replace").strip()[-2000:]
        if watcher.returncode != 0:
            raise CommandError(f"{' '.join(command)}: not run: {said}")
        status, wall_s, cpu_s, peak_rss_bytes = json.load(cost)
        if status not in statuses:
            raise CommandError(f"{' '.join(command)}: status {status}: {said}")
        return Cost(wall_s, cpu_s, peak_rss_bytes), out.read().decode(errors="replace")
