"""A program of ours that serves pages, run as a user does: what it says, and what its API answers."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.support.wire import ROOT

#: A database engine is loaded at the start, on a machine that may do other things.
_PATIENCE_S = 120


class Served:
    """A running program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stderr is not None
        self._stderr = process.stderr
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stderr:
            self.said.append(line.rstrip("\n"))

    def wait_for(self, condition: Callable[[], Any], patience_s: float = _PATIENCE_S) -> float:
        """Until it holds; how long it took. A program that ends before, or never gets there, fails the test."""
        start = time.monotonic()
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() - start < patience_s, self.said
            time.sleep(0.05)
        return time.monotonic() - start

    def wait_for_line(self, pattern: str) -> str:
        """Until it says a line with the pattern; what matched, or its first group."""
        found: list[re.Match[str]] = []

        def said() -> bool:
            found.extend(match for line in list(self.said) if (match := re.search(pattern, line)))
            return bool(found)

        self.wait_for(said)
        return found[0][found[0].re.groups and 1]

    def get(self, url: str) -> Any:
        """What the API answers."""
        return json.loads(self.text(url))

    def text(self, url: str) -> str:
        """A page."""
        with urllib.request.urlopen(url, timeout=30) as reply:  # noqa: S310 - loopback, our own server
            content: bytes = reply.read()
        return content.decode()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_S)


@contextlib.contextmanager
def served(command: Sequence[str], **options: Any) -> Iterator[Served]:
    """A program, killed at the end where it still runs."""
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def geophone_command(*words: object) -> list[str]:
    """Our own program."""
    return [sys.executable, "-m", "geophone", *map(str, words)]
