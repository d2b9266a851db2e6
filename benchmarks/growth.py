"""The quadratic-time hunt: hostile captures of 1, 2, 4 and 8 times the size; the time per byte has to stay flat.

usage: python -m benchmarks.growth [--only WORD] [--rounds 3] [--sizes 1,2,4,8]
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.hostile_shapes import SHAPES, UNIT, Shape
from benchmarks.machine import describe
from sensors.engine import decode

RESULTS: Final = Path(__file__).resolve().parent / "results" / "growth.md"

#: How much the time per byte may grow over the sizes before a shape is worth a look.
FACTOR: Final = 2.0

_STEP_US: Final = 50


@dataclass(frozen=True, slots=True)
class Grown:
    """One shape at one size."""

    size: int
    frames: int
    capture_bytes: int
    cpu_s: float
    rows: int

    @property
    def ns_per_byte(self) -> float:
        """CPU time for each byte of the capture."""
        return self.cpu_s * 1e9 / self.capture_bytes


def write(file: Path, frames: Iterable[bytes]) -> int:
    """The frames as a pcap file; how many there were."""
    count = 0
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for frame in frames:
            seconds, micros = divmod(count * _STEP_US, 1_000_000)
            out.write(struct.pack("<IIII", 1_795_327_200 + seconds, micros, len(frame), len(frame)))
            out.write(frame)
            count += 1
    return count


def cost(file: Path, rounds: int) -> tuple[float, int]:
    """The least CPU time of some rounds (the engine's thread is this one), and the rows."""
    best, rows = float("inf"), 0
    for _ in range(rounds):
        started, rows = time.process_time(), 0
        with decode(file) as run:
            for batches in run:
                rows += sum(batch.num_rows for batch in batches.values())
        best = min(best, time.process_time() - started)
    return best, rows


def grow(shape: Shape, sizes: Sequence[int], rounds: int, folder: Path) -> list[Grown]:
    """One shape at every size."""
    grown = []
    for size in sizes:
        file = folder / "shape.pcap"
        frames = write(file, shape.frames(size * UNIT))
        cpu_s, rows = cost(file, rounds)
        grown.append(Grown(size, frames, file.stat().st_size, cpu_s, rows))
    return grown


def growth(grown: Sequence[Grown]) -> float:
    """How much dearer a byte of the largest is than one of the second smallest: the smallest pays for the start."""
    base = grown[1] if len(grown) > 2 else grown[0]
    return grown[-1].ns_per_byte / base.ns_per_byte


def report(all_grown: Sequence[tuple[Shape, list[Grown]]], sizes: Sequence[int]) -> str:
    """The table as Markdown."""
    machine = "; ".join(f"{name}: {value}" for name, value in describe().items())
    lines = [
        "# Growth under hostile input",
        "",
        f"Written by `python -m benchmarks.growth`. CPU nanoseconds for each byte of captures of {UNIT:,} units",
        "times the size; the last column is the largest size against the second: flat is 1, quadratic would be the",
        "ratio of the sizes (4).",
        "",
        f"Machine: {machine}.",
        "",
        f"| shape | aims at | {' | '.join(f'size {size}' for size in sizes)} | bytes of the largest | growth |",
        f"|---|---|{'--:|' * len(sizes)}--:|--:|",
    ]
    for shape, grown in all_grown:
        cells = " | ".join(f"{one.ns_per_byte:.1f}" for one in grown)
        factor = growth(grown)
        mark = " **look**" if factor > FACTOR else ""
        lines.append(
            f"| {shape.name} | {shape.aims_at} | {cells} | {grown[-1].capture_bytes:,} | {factor:.2f}{mark} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="shapes with this word in their name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="1,2,4,8")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            if options.only not in shape.name:
                continue
            grown = grow(shape, sizes, options.rounds, Path(folder))
            measured.append((shape, grown))
            cells = "  ".join(f"{one.ns_per_byte:8.1f}" for one in grown)
            print(f"{shape.name:<40}{cells}  x{growth(grown):.2f}  {grown[-1].rows:,} rows", flush=True)
    if not options.only:
        RESULTS.write_text(report(measured, sizes))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
