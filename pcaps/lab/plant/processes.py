"""Processes inside the plant's namespaces: started, waited for until they are ready, stopped."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pcaps.lab.plant.shell import environment, inside
from pcaps.lab.problems import LabError

_READY_S: Final = 90
_STOP_S: Final = 5
#: As much of what a program said as an error repeats.
_SAID_BYTES: Final = 600


class Process:
    """A program in a namespace, with its own log; not a child that Ctrl-C reaches: the lab ends it in its own order."""

    def __init__(self, who: str, namespace: str, command: Sequence[str], log: Path) -> None:
        self.who = who
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                inside(namespace, *command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(),
                start_new_session=True,
            )
        self.said = b""

    @property
    def pid(self) -> int:
        """Its process id: `ip netns exec` becomes the program."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self._process.poll() is not None

    def wait_for(self, text: str) -> None:
        """Until it says so on standard output. LabError where it ends before, or does not say it in time."""
        deadline = time.monotonic() + _READY_S
        while text.encode() not in self.said:
            if not self._read(deadline - time.monotonic()):
                ended = self._ended_within(1.0)
                what = "ended before it was ready" if ended else "did not get ready in time"
                raise LabError(f"{self.who} {what}: {self._last_words()}")

    def finish(self, timeout_s: float) -> str:
        """Wait for its end; all that it said. LabError where it fails, or does not end."""
        deadline = time.monotonic() + timeout_s
        while self._read(deadline - time.monotonic()):
            continue
        try:
            status = self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise LabError(
                f"{self.who} did not end within {timeout_s:.0f} s; its log is {self._log}"
            ) from None
        if status:
            raise LabError(f"{self.who} failed with exit code {status}: {self._last_words()}")
        return self.said.decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it still runs."""
        if not self.ended:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it: asked first, then not asked."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def leave(self) -> None:
        """Let it run on after this process: nobody reads what it says any more."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        # Its parent is about to end: init will wait for it.
        self._process.returncode = 0

    def _read(self, patience_s: float) -> bool:
        """Take what it said; False at its end or when patience is."""
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            return False
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            if not ready.select(max(0.0, patience_s)):
                return False
        data = os.read(stdout.fileno(), 1 << 16)
        self.said += data
        return bool(data)

    def _ended_within(self, timeout_s: float) -> bool:
        """Whether it has come to its end: its output is closed a moment before."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _last_words(self) -> str:
        said = self._log.read_bytes()[-_SAID_BYTES:].decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"


@contextmanager
def running(processes: Sequence[Process]) -> Iterator[None]:
    """Processes that are stopped at the end, the last one first."""
    try:
        yield
    finally:
        for process in reversed(processes):
            process.stop()
