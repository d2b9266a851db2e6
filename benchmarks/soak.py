"""A session that goes on: the same minute of several samples again and again; what a batch costs, and what is kept.

usage: python -m benchmarks.soak [--hours 6] [--no-write]

The way of `geophone run` without the interface: decoded, judged, measured and stored, two batches a minute. Polls and
scopes have windows of their own, of up to seven hours.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import describe
from geophone.live.session import Listened, Session
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from sensors.engine import decode
from sensors.raw_frames import frames_of
from store.client import open_store

RESULTS: Final = Path(__file__).resolve().parent / "results" / "soak.md"
SAMPLES: Final = (
    "conduit-misuse", "unauthorised-write", "mqtt-misuse", "modbus-survey", "opcua-exposed", "beacon",
)  # fmt: skip
_START_NS: Final = 1_795_327_200_000_000_000
_MINUTE_NS: Final = 60_000_000_000
_BATCHES: Final = 2


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour came to."""

    cpu_ms: float  #: of a batch
    resident_mib: float
    kept: int  #: rows and findings held in memory
    findings: int  #: stored up to then


def _minute() -> list[tuple[int, bytes]]:
    """The first minute of every sample, by time."""
    found = []
    for name in SAMPLES:
        frames = [(one.ts_ns or 0, one.data) for one in frames_of(open_capture(sample(name).capture))]
        found += [(at - frames[0][0], data) for at, data in frames if at - frames[0][0] < _MINUTE_NS]
    return sorted(found, key=lambda one: one[0])


def soaked(hours: int, folder: Path) -> Iterator[Hour]:
    """Each hour of a session in a new store."""
    minute = _minute()
    capture = folder / "soak.pcap"
    with capture.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1))
        for number in range(60 * hours):
            for at, data in minute:
                seconds, nanos = divmod(_START_NS + number * _MINUTE_NS + at, 10**9)
                out.write(struct.pack("<IIII", seconds, nanos, len(data), len(data)) + data)
    policy = load(sample(SAMPLES[0]).policy)
    with (
        open_store(folder / "store") as store,
        Session(Listened("soak", 1), policy, store) as session,
        decode(capture, max_packets=-(-len(minute) // _BATCHES)) as run,
    ):
        began_s = time.process_time()
        for number, batches in enumerate(run, start=1):
            session.feed(batches, number)
            if number % (60 * _BATCHES) == 0:
                spent_s = time.process_time() - began_s
                yield Hour(
                    spent_s * 1_000 / (60 * _BATCHES),
                    _resident_mib(),
                    sum(session.kept.values()),
                    session.finding_count,
                )
                began_s = time.process_time()


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def report(hours: list[Hour]) -> str:
    """The page of results."""
    machine = ", ".join(f"{name}: {value}" for name, value in describe().items())
    lines = [
        "# A session that goes on",
        "",
        (
            f"Written by `python -m benchmarks.soak --hours {len(hours)}`. The same minute of {len(SAMPLES)} samples "
            "again and again: CPU time of a batch (half a minute), resident memory at the hour's end, rows and "
            "findings that checks, detections and the session hold."
        ),
        "",
        f"Machine: {machine}.",
        "",
        "| hour | CPU ms a batch | memory, MiB | kept | findings stored |",
        "|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {number} | {one.cpu_ms:.0f} | {one.resident_mib:.0f} | {one.kept:,} | {one.findings:,} |"
        for number, one in enumerate(hours, start=1)
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    hours = []
    with tempfile.TemporaryDirectory(prefix="geophone-soak-") as folder:
        for hour in soaked(options.hours, Path(folder)):
            hours.append(hour)
            print(hour, flush=True)
    text = report(hours)
    print(text)
    if not options.no_write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
