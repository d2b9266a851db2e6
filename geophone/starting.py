"""How the program starts: where it decodes, with memory in huge pages that is kept from batch to batch.

A packet of one flow among many waits for memory, and part of that is to find out where in memory a page is. Pages of
2 MiB are found in what the processor remembers, pages of 4 KiB are not; and memory that is given back after every batch
is cleared by the kernel for the next one. glibc decides both when a process begins, from its environment (GNU C Library
manual, 39: Tunables), so the program begins once more with it set. Who sets `GLIBC_TUNABLES` themselves is heard; other
C libraries do not read it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

#: Commands that decode much, or for long.
DECODING: Final = frozenset({"decode", "replay", "run", "sensor"})

_NAME: Final = "GLIBC_TUNABLES"

#: Says that the process has begun anew: for a Python with capabilities of its own the C library takes the other one
#: out of the environment (ld.so(8), secure-execution mode), and it would begin for ever.
_BEGUN: Final = "GEOPHONE_BEGAN_ANEW"

#: Transparent huge pages, where the kernel leaves them to programs. Columns of a batch come from memory that is kept,
#: up to 64 MiB of it; pieces of 2 MiB and more are mapped, and given back at once.
TUNABLES: Final = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=2097152:glibc.malloc.trim_threshold=67108864"
)


def wanted(environment: Mapping[str, str]) -> dict[str, str] | None:
    """The environment that a process that decodes has to begin with; none where this one has it, or one of its own."""
    if _NAME in environment or _BEGUN in environment:
        return None
    return {**environment, _NAME: TUNABLES, _BEGUN: "1"}


def begin_with_huge_pages() -> None:
    """Begin this process once more, with the same arguments, where its memory is not as it should be."""
    environment = wanted(os.environ)
    # An interpreter that was built into another program does not know its own file.
    if environment is not None and sys.executable:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves


def start() -> None:
    """The entry point of `geophone`."""
    if DECODING.intersection(sys.argv[1:2]):
        begin_with_huge_pages()
    from geophone.cli import run

    run()
