"""The real `geophone sensor` in a namespace of its own, as a user runs it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tests.support.wire import ROOT, TAP, Wire

#: It loads a decoder at the start, on a machine that may do other things.
_PATIENCE_S = 120


class Sensor:
    """A running sensor: what it says, and how it ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stderr is not None
        self._stderr = process.stderr
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda: any(line.startswith("listening to") for line in self.said))

    def _read(self) -> None:
        for line in self._stderr:
            self.said.append(line.rstrip("\n"))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until it holds; a sensor that ends before, or never gets there, fails the test."""
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def ended(self) -> tuple[int, dict[str, Any]]:
        """Wait for its end: exit status and summary."""
        self.process.wait(_PATIENCE_S)
        # The summary is short: it waits in the pipe.
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        self._reader.join(_PATIENCE_S)
        return self.process.returncode, json.loads(out) if out else {}

    def stop(self, number: int = signal.SIGTERM) -> dict[str, Any]:
        """Ask it to end, once what was sent has had time to come; its summary."""
        self.process.send_signal(number)
        status, summary = self.ended()
        assert status == 0, self.said
        return summary


@contextlib.contextmanager
def sensor(wire: Wire, *options: str | Path, interface: str = TAP) -> Iterator[Sensor]:
    """A sensor on the wire's listening end; killed at the end where it still runs."""
    command = [sys.executable, "-m", "geophone", "sensor", "--interface", interface, "--json", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(wire.command(*command), cwd=ROOT, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            yield Sensor(process)
        finally:
            process.kill()


def table(folder: Path, name: str) -> pl.DataFrame:
    """All rows of one table that the sensor wrote."""
    return pl.concat(pl.read_parquet(file) for file in sorted((folder / name).glob("*.parquet")))
