"""The machine a benchmark ran on: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def describe() -> dict[str, str]:
    """What was measured on, as words; the load says how far the machine was our own."""
    one, five, _ = os.getloadavg()
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_gib():.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "malloc": os.environ.get("GLIBC_TUNABLES", "as the C library is by default"),
        "load before (1 min, 5 min)": f"{one:.1f}, {five:.1f}",
    }
