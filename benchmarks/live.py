"""The highest rate that is heard without a drop: the sensor and tcpdump, on the same wire, in the same run.

usage: python -m benchmarks.live [--captures FOLDER] [--seconds 5] [--rounds 2] [--no-write]

A veth pair in a network namespace; the senders and the listener share the machine's cores. Rates rise step by step
until a listener drops a packet in every round of a step, or the senders cannot keep the pace beside it. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from benchmarks.captures import ROOT, NoCaptureError, generated, given
from benchmarks.machine import describe

RESULTS: Final = ROOT / "benchmarks" / "results"
TAP, FAR = "tap0", "far0"

#: Thousand packets a second.
STEPS: Final = (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1600, 2000)

#: One sender alone is slower than what is to be heard; networks that they start from.
SENDERS: Final = (0, 128)

#: A step that the senders reach less than this of is none: the machine has no more.
KEPT_PACE: Final = 0.95

#: Memory of a ring, of the sensor and of tcpdump alike.
RING_MIB: Final = 64


@dataclass(frozen=True, slots=True)
class Listener:
    """One way of listening."""

    name: str
    work: str
    #: (scratch folder) -> the command.
    command: Callable[[Path], list[str]]
    #: What it says on standard error once it listens.
    ready: str
    #: (standard output, standard error) -> (packets, drops).
    counts: Callable[[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One listener at one rate."""

    packets_sent: int
    rate: float
    packets: int
    dropped: int
    cpu_s: float

    @property
    def whole(self) -> bool:
        """Whether every packet was heard."""
        return self.dropped == 0 and self.packets >= self.packets_sent


def _sensor(*options: str) -> Callable[[Path], list[str]]:
    def command(scratch: Path) -> list[str]:
        named = [option.replace("SCRATCH", str(scratch)) for option in options]
        base = [sys.executable, "-m", "geophone", "sensor", "-i", TAP, "--json", "--user", "root"]
        return [*base, "--ring-mib", str(RING_MIB), *named]

    return command


def _sensor_counts(out: str, _err: str) -> tuple[int, int]:
    summary = json.loads(out)
    return summary["packets"], summary["dropped_packets"]


def _tcpdump(*options: str) -> Callable[[Path], list[str]]:
    # As root throughout: what it writes to is no file of another user's.
    return lambda _scratch: ["tcpdump", "-i", TAP, "-n", "-B", str(RING_MIB * 1024), "-Z", "root", *options]


def _tcpdump_counts(_out: str, err: str) -> tuple[int, int]:
    received = re.search(r"(\d+) packets? received by filter", err)
    dropped = re.search(r"(\d+) packets? dropped by kernel", err)
    if received is None or dropped is None:
        raise RuntimeError(f"tcpdump said no counts: {err}")
    return int(received[1]) - int(dropped[1]), int(dropped[1])


LISTENERS: Final = (
    Listener(
        "geophone sensor",
        "every table built in memory",
        _sensor(),
        "listening to",
        _sensor_counts,
    ),
    Listener(
        "geophone sensor --fanout 2",
        "the same, on two rings",
        _sensor("--fanout", "2"),
        "listening to",
        _sensor_counts,
    ),
    Listener(
        "geophone sensor --write",
        "every table built, every packet recorded",
        _sensor("--write", "SCRATCH/recording", "--write-files", "2"),
        "listening to",
        _sensor_counts,
    ),
    Listener(
        "geophone sensor --out",
        "every table built, every row written as Parquet",
        _sensor("--out", "SCRATCH/rows"),
        "listening to",
        _sensor_counts,
    ),
    Listener(
        "tcpdump -w /dev/null",
        "every packet copied, none looked at",
        _tcpdump("-w", "/dev/null"),
        "listening on",
        _tcpdump_counts,
    ),
    Listener(
        "tcpdump --count",
        "every packet counted",
        _tcpdump("--count"),
        "listening on",
        _tcpdump_counts,
    ),
)


class Wire:
    """A veth pair without addresses in a namespace of its own."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def command(self, *words: str) -> list[str]:
        """A command that runs inside."""
        return ["ip", "netns", "exec", self._namespace, *words]

    def run(self, *words: str) -> str:
        """Run a command inside; its standard output."""
        done = subprocess.run(self.command(*words), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        return done.stdout

    def flood(self, capture: Path, rate: float, seconds: float) -> tuple[int, float]:
        """Send at a rate, in all; frames and frames a second as they were."""
        words = [FAR, str(capture), str(rate / len(SENDERS)), str(seconds)]
        senders = [
            subprocess.Popen(
                self.command(sys.executable, "-m", "benchmarks.flood", *words, str(network)),
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for network in SENDERS
        ]
        said = [sender.communicate()[0] for sender in senders]
        if any(sender.returncode for sender in senders):
            raise RuntimeError("a sender failed: its words are above")
        sent = [json.loads(one) for one in said]
        return sum(one["frames"] for one in sent), sum(one["frames"] / one["seconds"] for one in sent)


@contextlib.contextmanager
def wire() -> Iterator[Wire]:
    """A wire, gone at the end."""
    namespace = f"geophone-bench-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        made = Wire(namespace)
        made.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        made.run("ip", "link", "add", "name", TAP, "type", "veth", "peer", "name", FAR)
        for end in (TAP, FAR):
            made.run("ip", "link", "set", "dev", end, "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", namespace], check=True)


def hear(on: Wire, listener: Listener, capture: Path, rate: float, seconds: float) -> Heard:
    """One listener while frames come at a rate."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        command = on.command(*listener.command(Path(folder)))
        running = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT)
        try:
            _wait_for(listener.ready, running, err)
            sent, achieved = on.flood(capture, rate, seconds)
            # What is in the ring is still to be read; then what is in memory is written.
            time.sleep(1)
            running.send_signal(signal.SIGINT)
            _, status, usage = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if running.returncode is None:
                running.kill()
                running.wait()
        packets, dropped = listener.counts(_read(out), _read(err))
    return Heard(sent, achieved, packets, dropped, usage.ru_utime + usage.ru_stime)


def _wait_for(words: str, running: subprocess.Popen[bytes], err: IO[str]) -> None:
    for _ in range(600):
        if words in _read(err):
            return
        if running.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"it never said '{words}': {_read(err)}")


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one listener got."""

    name: str
    work: str
    best: Heard | None
    #: The first step at which every round dropped; none where the steps, or the sender, ended first.
    failed: Heard | None


def climb(on: Wire, listener: Listener, capture: Path, top: float, seconds: float, rounds: int) -> Outcome:
    """Step by step up to the senders' own limit."""
    best = None
    for step in (thousand * 1_000.0 for thousand in STEPS if thousand * 1_000 <= top):
        failed = None
        for _ in range(rounds):
            heard = hear(on, listener, capture, step, seconds)
            print(f"{listener.name}: {heard.rate:,.0f}/s, {heard.dropped:,} dropped", flush=True)
            if heard.whole:
                best, failed = heard, None
                break
            failed = heard
        if failed is not None:
            return Outcome(listener.name, listener.work, best, failed)
        if best is not None and best.rate < step * KEPT_PACE:
            break
    return Outcome(listener.name, listener.work, best, None)


def table(outcomes: list[Outcome]) -> str:
    """A Markdown table."""
    lines = [
        "| listener | highest rate without a drop, packets/s | CPU | next step: dropped | what it did |",
        "|---|--:|--:|--:|---|",
    ]
    for one in outcomes:
        best, failed = one.best, one.failed
        rate = "-" if best is None else f"{best.rate:,.0f}"
        cpu = "-" if best is None else f"{best.cpu_s / (best.packets_sent / best.rate):.0%}"
        share = "none: the senders' limit" if failed is None else _dropped(failed)
        lines.append(f"| {one.name} | {rate} | {cpu} | {share} | {one.work} |")
    return "\n".join(lines) + "\n"


def _dropped(failed: Heard) -> str:
    return f"{failed.dropped / max(failed.packets_sent, 1):.2%} at {failed.rate:,.0f}/s"


def main() -> int:
    """Measure, print, write; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--captures", type=Path, help="a folder of pcap files instead of generated ones")
    parser.add_argument("--only", default="", help="only captures with this in their name")
    parser.add_argument("--seconds", type=float, default=5, help="how long each step sends (5)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="a step fails when each of so many rounds drops (2)"
    )
    parser.add_argument(
        "--no-write", action="store_true", help="print only, leave benchmarks/results as it is"
    )
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("this needs root, for a network namespace and packet sockets", file=sys.stderr)
        return 2
    try:
        captures = given(options.captures) if options.captures else generated(1.0)
    except NoCaptureError as problem:
        print(problem, file=sys.stderr)
        return 2
    machine = describe()
    parts = []
    # Whoever is told to stop leaves no namespace behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with wire() as on:
        for capture in (one for one in captures if options.only in one.name):
            _, top = on.flood(capture, 0, options.seconds)
            outcomes = [
                climb(on, listener, capture, top, options.seconds, options.rounds) for listener in LISTENERS
            ]
            parts.append(
                f"## {capture.name}\n\nThe senders' own limit: {top:,.0f} packets/s.\n\n{table(outcomes)}"
            )
            print(parts[-1], flush=True)
    if not options.no_write:
        _write(parts, machine, options.seconds, options.rounds)
    return 0


def _write(parts: list[str], machine: dict[str, str], seconds: float, rounds: int) -> None:
    one, _, _ = os.getloadavg()
    facts = {
        **machine,
        "load after (1 min)": f"{one:.1f}",
        "ring": f"{RING_MIB} MiB",
        "a step": f"{seconds:g} s, {rounds} rounds",
        "tcpdump": _version("tcpdump", "--version"),
    }
    listed = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "live.md").write_text(
        "# Live capture\n\nWritten by `python -m benchmarks.live`: a veth pair, two senders and the listener on the "
        f"machine's cores. CPU is the listener's, of one core.\n\n{listed}\n\n" + "\n".join(parts)
    )


def _version(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).strip().partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
