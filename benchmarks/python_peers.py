"""Python libraries that read captures, each alone in a process. usage: python_peers LIBRARY CAPTURE.

Prints JSON: packets, wall_s and cpu_s of the reading only, children included; the library's import is left out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final


def _scapy(module: Any) -> Callable[[str], int]:
    """Every packet dissected, nothing kept."""
    import_module("scapy.layers.all")  # registers the dissectors

    def read(capture: str) -> int:
        with module.PcapReader(capture) as reader:
            return sum(1 for _packet in reader)

    return read


def _dpkt(module: Any) -> Callable[[str], int]:
    """Every frame dissected as far as dpkt goes: Ethernet, IP, TCP and UDP."""

    def read(capture: str) -> int:
        packets = 0
        with Path(capture).open("rb") as file:
            for _time, frame in module.pcap.UniversalReader(file):
                module.ethernet.Ethernet(frame)
                packets += 1
        return packets

    return read


def _pyshark(module: Any) -> Callable[[str], int]:
    """Every packet dissected by its tshark child and made an object."""

    def read(capture: str) -> int:
        with module.FileCapture(capture, keep_packets=False) as packets:
            return sum(1 for _packet in packets)

    return read


def _nfstream(module: Any) -> Callable[[str], int]:
    """Flows with their counters, one meter, without the guessing of applications."""

    def read(capture: str) -> int:
        streamer = module.NFStreamer(source=capture, n_dissections=0, statistical_analysis=False, n_meters=1)
        return sum(flow.bidirectional_packets for flow in streamer)

    return read


#: Library -> its module and what reads a capture with it.
LIBRARIES: Final[dict[str, tuple[str, Callable[[Any], Callable[[str], int]]]]] = {
    "scapy": ("scapy.utils", _scapy),
    "dpkt": ("dpkt", _dpkt),
    "pyshark": ("pyshark", _pyshark),
    "nfstream": ("nfstream", _nfstream),
}


def main(library: str, capture: str) -> None:
    """Read a capture to its end with one library and print what it cost."""
    name, prepare = LIBRARIES[library]
    read = prepare(import_module(name))
    wall_s, before = time.perf_counter(), os.times()
    packets = read(capture)
    wall_s, after = time.perf_counter() - wall_s, os.times()
    # user and system time, of this process and of the children that it waited for
    cpu_s = sum(after[:4]) - sum(before[:4])
    print(json.dumps({"packets": packets, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
