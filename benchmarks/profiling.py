"""A piece of work in; where its time goes, by our own files, out."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_PARTS: Final = ("policy/", "analyzers/")


@dataclass(frozen=True, slots=True)
class Spent:
    """What one file took, with the libraries that it called; a share of the whole."""

    file: str
    share: float


def profiled(work: Callable[[], object]) -> list[Spent]:
    """Where the CPU time went, the dearest first; of files that judge.

    Every call of Python is made dearer by being watched, those into compiled code are not: shares of small calls read
    high.
    """
    profile = cProfile.Profile(time.process_time)
    profile.runcall(work)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    took: Counter[str] = Counter()
    for (path, _, _), (_, _, own, _, callers) in stats.items():
        file = _ours(path)
        if file is not None:
            took[file] += own
            continue
        for (caller, _, _), (_, _, _, with_callees) in callers.items():
            if (file := _ours(caller)) is not None:
                took[file] += with_callees
    return [Spent(file, spent / whole) for file, spent in took.most_common()]


def _ours(path: str) -> str | None:
    """The file's name from the root of the source, where it is one of those that judge."""
    file = Path(path)
    if not file.is_relative_to(_ROOT):
        return None
    name = str(file.relative_to(_ROOT))
    return name if name.startswith(_PARTS) else None
