"""A command in; its wall time, CPU time and peak memory out."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost. CPU time is user plus system, of the process and all its children it waited for."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


class CommandError(Exception):
    """A measured command ended badly: its figures would mean nothing."""


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """Run a command to its end: its cost and its standard output. CommandError where its status is not 0.

    The kernel accounts for the child (wait4, as GNU time does it), so nothing of this process is counted.
    Peak memory is the largest resident set of any one process; pages of a mapped capture count.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            said = err.read().decode(errors="replace").strip()[-2000:]
            raise CommandError(f"{' '.join(command)}: status {child.returncode}: {said}")
        return (
            Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024),
            out.read().decode(errors="replace"),
        )
