"""The native engine alone, in one process: every table built, nothing written. usage: engine_alone CAPTURE.

Prints JSON: packets, rows, wall_s and cpu_s of the decoding only, without the start of the interpreter.
"""

from __future__ import annotations

import json
import sys
import time

import geophone  # noqa: F401 - begins as every command does, without threads that nobody uses
from sensors.engine import decode


def main(capture: str) -> None:
    """Decode a capture to its end and print what it cost."""
    rows = packets = 0
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with decode(capture) as run:
        for batches in run:
            rows += sum(batch.num_rows for batch in batches.values())
        frames = run.summary()["frames"]
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    packets = frames if isinstance(frames, int) else 0
    print(json.dumps({"packets": packets, "rows": rows, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1])
