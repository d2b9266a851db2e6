"""What a tool of somebody else's needs around it: a room of its own, and an end that it cannot miss."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

_READY_S: Final = 20.0
_STOP_S: Final = 5.0
#: No recording is longer.
_FOREVER_S: Final = 3_600.0
_POLL_S: Final = 0.05
#: As much of what a tool said as an error repeats.
_SAID_BYTES: Final = 600

_KNOCK_S: Final = 0.5
#: Discard: nobody listens there.
_CLOSED_PORT: Final = 9

#: Where a tool may write: only this process and its children see it (`ip netns exec` gives them mounts of their own).
ROOM: Final = Path("/tmp")  # noqa: S108


class ToolError(Exception):
    """A tool did not do its part."""


class Tool:
    """A running program and what it says."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self._process, self._log = name, process, log

    @property
    def runs(self) -> bool:
        """Whether it has not come to its end."""
        return self._process.poll() is None

    @property
    def said(self) -> str:
        """All that it said so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Until it says so. ToolError where it ends before, or does not say it in time."""
        self._until(lambda: text in self.said, f"did not say {text!r}")

    def listens(self, port: int, *, udp: bool = False) -> None:
        """Until its port is open. ToolError where it ends before, or does not open it in time."""
        self._until(lambda: port in open_ports(udp=udp), f"does not listen on port {port}")

    def exists(self, path: Path) -> None:
        """Until it has made a file or socket. ToolError where it ends before, or does not make it in time."""
        self._until(path.exists, f"does not make {path}")

    def check(self) -> None:
        """ToolError where it has come to its end."""
        if not self.runs:
            raise ToolError(
                f"{self.name} ended with exit code {self._process.returncode}: {self._last_words()}"
            )

    def use(self, seconds: float) -> None:
        """Let it run for so long. ToolError where it ends by itself."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            time.sleep(_POLL_S)

    def hold_after(self, packets: int) -> None:
        """Let it go on until this station has sent so many packets more, then hold it still; its connection stays.

        ToolError where it ends before, or does not send them in time.
        """
        enough = _sent_packets() + packets
        self._until(lambda: _sent_packets() >= enough, f"does not send {packets} packets", 0.002)
        os.killpg(self._process.pid, signal.SIGSTOP)

    def stay(self) -> None:
        """Until somebody ends us, an hour at most. ToolError where it ends by itself."""
        self.use(_FOREVER_S)

    def stop(self) -> None:
        """End it and what it started: asked first, then not asked."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
                # One that is held hears nothing.
                os.killpg(self._process.pid, signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
                return

    def _until(self, condition: Callable[[], bool], otherwise: str, poll_s: float = _POLL_S) -> None:
        deadline = time.monotonic() + _READY_S
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise ToolError(f"{self.name} {otherwise} in time: {self._last_words()}")
            time.sleep(poll_s)

    def _last_words(self) -> str:
        return self.said[-_SAID_BYTES:].strip().replace("\n", " | ") or "it said nothing"


@contextmanager
def own_room() -> Iterator[None]:
    """Temporary files of our own, no name server, and an end on SIGTERM that ends the tools, too."""
    for command in (
        ("mount", "-t", "tmpfs", "tmpfs", str(ROOM)),
        ("mount", "-t", "tmpfs", "tmpfs", "/run"),
        # A tool that looks up who comes would ask outside the plant.
        ("mount", "--bind", "/dev/null", "/etc/resolv.conf"),
    ):
        subprocess.run(command, check=True)
    (ROOM / ".X11-unix").mkdir(mode=0o1777)

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    yield


@contextmanager
def running(
    *command: str, environment: Mapping[str, str] | None = None, answer: bytes = b""
) -> Iterator[Tool]:
    """A tool that runs until the end of this; `answer` is what it reads where it asks."""
    name = Path(command[0]).name
    log = ROOM / f"{name}-{time.monotonic_ns()}.log"
    asked = ROOM / f"{log.stem}.in"
    asked.write_bytes(answer)
    with log.open("wb") as said, asked.open("rb") as answers:
        process = subprocess.Popen(
            command,
            stdin=answers,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(ROOM), "LC_ALL": "C", **(environment or {})},
            start_new_session=True,
        )
    tool = Tool(name, process, log)
    try:
        yield tool
    finally:
        tool.stop()


@contextmanager
def screen(number: int) -> Iterator[str]:
    """A screen without glass, for programs that draw; its name for DISPLAY."""
    with running("Xvfb", f":{number}", "-screen", "0", "640x480x16", "-nolisten", "tcp") as display:
        display.exists(ROOM / ".X11-unix" / f"X{number}")
        yield f":{number}"


def open_ports(*, udp: bool) -> set[int]:
    """The ports on which somebody listens in this namespace."""
    listed = subprocess.run(
        ["ss", "-Hln", "-u" if udp else "-t"], capture_output=True, text=True, check=True
    ).stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in listed.splitlines()}


def _sent_packets() -> int:
    return int(Path("/sys/class/net/eth0/statistics/tx_packets").read_text())


def do(*command: str) -> str:
    """Run a command to its end; what it says. ToolError where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_READY_S)
    if done.returncode:
        raise ToolError(f"`{' '.join(command[:3])} …` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def reach(address: str, times: int) -> None:
    """Knock at a closed port of the tunnel's other end: its refusal says that it is there. ToolError without one."""
    deadline = time.monotonic() + _READY_S
    refused = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knocker:
        knocker.settimeout(_KNOCK_S)
        knocker.connect((address, _CLOSED_PORT))
        while refused < times:
            if time.monotonic() > deadline:
                raise ToolError(f"{address} does not answer through the tunnel")
            try:
                knocker.send(b"lab")
                knocker.recv(1)
            except ConnectionRefusedError:
                refused += 1
                time.sleep(_KNOCK_S / 2)
            except TimeoutError:
                continue  # the tunnel is not open yet: again


def secret_file(name: str, content: Sequence[str] | bytes) -> Path:
    """A file in the room that only root reads."""
    path = ROOM / name
    path.touch(mode=0o600)
    path.write_bytes(content if isinstance(content, bytes) else "\n".join([*content, ""]).encode())
    return path
