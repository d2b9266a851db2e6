"""The most memory that hostile traffic can make the decoder keep: every hoard alone, and all of them at once.

    python -m benchmarks.ceiling [--only WORD]

Each capture of `hoards.py` fills one limit at its default. Memory is the process's anonymous memory (a capture that is
mapped does not count) after every batch; what it was before the first is told apart. Each runs in a process of its own.

Prints a table and writes benchmarks/results/ceiling.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from benchmarks.captures import ROOT
from benchmarks.growth import write
from benchmarks.hoards import HOARDS
from benchmarks.machine import describe
from geophone.starting import begin_with_huge_pages

RESULTS: Final = ROOT / "benchmarks" / "results" / "ceiling.md"

_MIB: Final = 1 << 20
#: Packets a batch: between two of them memory is looked at.
_BATCH: Final = 4_096


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
    return int(kib) * 1024


def measure_one(capture: Path) -> dict[str, int]:
    """Decode a capture in this process: anonymous bytes before it and at most, and frames."""
    from sensors.engine import decode

    with decode(capture, max_packets=_BATCH) as run:
        before = most = _anonymous_bytes()
        for _batches in run:
            most = max(most, _anonymous_bytes())
        frames = run.summary()["frames"]
    return {"before": before, "most": most, "frames": frames if isinstance(frames, int) else 0}


def _markdown(rows: list[tuple[str, int, dict[str, int]]]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in describe().items())
    lines = [
        f"| {name} | {f'{default:,}' if default else ''} | {cost['frames']:,} "
        f"| {(cost['most'] - cost['before']) / _MIB:,.0f} | {cost['most'] / _MIB:,.0f} |\n"
        for name, default, cost in rows
    ]
    return (
        "# Memory at the limits\n\n"
        f"`python -m benchmarks.ceiling`; {machine}.\n\n"
        "Captures made to fill one limit at its default, and all of them one behind the other. Grown by: anonymous\n"
        "memory over what the process had before the first frame; the batch that is being built is part of it.\n\n"
        "| fills | default | frames | grown by, MiB | process, MiB |\n|---|--:|--:|--:|--:|\n"
        + "".join(lines)
    )


def main() -> int:
    """Measure, print and record."""
    begin_with_huge_pages()
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", default="", help="hoards with this word in their limit's name")
    options.add_argument("--one", metavar="CAPTURE", help="measure one capture, print JSON")
    chosen = options.parse_args()
    if chosen.one:
        print(json.dumps(measure_one(Path(chosen.one))))
        return 0
    from sensors.engine import EngineLimits

    defaults = EngineLimits()
    hoards = [hoard for hoard in HOARDS if chosen.only in hoard.limit]

    def everything() -> Iterator[bytes]:
        return chain.from_iterable(hoard.frames() for hoard in hoards)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "hoard.pcap"
        for name, default, frames in [
            *((hoard.limit, getattr(defaults, hoard.limit), hoard.frames) for hoard in hoards),
            ("all of them", 0, everything),
        ]:
            write(capture, frames())
            command = [sys.executable, "-m", "benchmarks.ceiling", "--one", str(capture)]
            cost = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append((name, default, cost))
            print(
                f"{name:<20}{(cost['most'] - cost['before']) / _MIB:8.0f} MiB  {cost['frames']:,} frames",
                flush=True,
            )
    text = _markdown(rows)
    if not chosen.only:
        RESULTS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
