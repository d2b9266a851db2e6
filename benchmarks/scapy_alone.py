"""Scapy's reader alone: every packet dissected, nothing kept. usage: scapy_alone CAPTURE.

Prints JSON: packets, wall_s and cpu_s of the reading only; Scapy's import, about a second, is left out.
"""

from __future__ import annotations

import json
import sys
import time

from scapy.layers import all as _all_layers  # noqa: F401 - registers the dissectors
from scapy.utils import PcapReader


def main(capture: str) -> None:
    """Read a capture to its end and print what it cost."""
    packets = 0
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    with PcapReader(capture) as reader:
        for _packet in reader:
            packets += 1
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    print(json.dumps({"packets": packets, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1])
