"""A wire of our own: a veth pair in a network namespace, and frames put on it. Needs root."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

#: The end that the sensor listens to, and the end that frames are put on.
TAP, FAR = "tap0", "far0"


@dataclass(frozen=True)
class Wire:
    """A network namespace that holds both ends of one wire, without an address and without IPv6."""

    namespace: str

    def command(self, *words: str | Path) -> list[str]:
        """A command that runs inside."""
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def run(self, *words: str | Path) -> str:
        """Run a command inside; its standard output."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def send(self, capture: Path, *options: str, interface: str = FAR) -> None:
        """Put the frames of a pcap file on the wire (see `tests.support.frame_sender`)."""
        self.run(sys.executable, "-m", "tests.support.frame_sender", interface, capture, *options)

    def sent_by(self, interface: str) -> int:
        """How many frames the interface has sent, ever."""
        return int(self.run("cat", f"/sys/class/net/{interface}/statistics/tx_packets"))


@contextlib.contextmanager
def wire(name: str) -> Iterator[Wire]:
    """A wire, gone at the end with everything on it."""
    made = Wire(f"geophone-{name}-{os.getpid()}")
    subprocess.run(["ip", "netns", "add", made.namespace], check=True)
    try:
        made.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        made.run("ip", "link", "add", "name", TAP, "type", "veth", "peer", "name", FAR)
        for end in (TAP, FAR):
            made.run("ip", "link", "set", "dev", end, "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.namespace], check=True)
