"""Commands of the system, inside a namespace or not; what fails says what it was and why."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from pcaps.lab.problems import LabError

_COMMAND_TIMEOUT_S: Final = 60
_ROOT: Final = Path(__file__).resolve().parent.parent.parent.parent


def inside(namespace: str, *command: str) -> list[str]:
    """The command line that runs a command in a namespace."""
    return ["ip", "netns", "exec", namespace, *command]


def run(*command: str) -> str:
    """Run a command to its end; its standard output. LabError where it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_COMMAND_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(command)}` did not end within {_COMMAND_TIMEOUT_S} s") from error
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def batch(tool: str, lines: list[str], *options: str) -> None:
    """Many commands of `ip` or `tc` by one process: starting one for each would be most of the time."""
    done = subprocess.run(
        [tool, *options, "-batch", "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMMAND_TIMEOUT_S,
    )
    if done.returncode:
        raise LabError(f"`{tool} {' '.join(options)} -batch` failed: {done.stderr.strip()}")


def environment() -> dict[str, str]:
    """The package must be importable in the stations too, wherever this was started from."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def namespaces() -> set[str]:
    """The names of all network namespaces of this machine."""
    listed = run("ip", "netns", "list")
    return {line.split()[0] for line in listed.splitlines() if line.strip()}
