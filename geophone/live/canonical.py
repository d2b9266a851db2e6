"""Findings as they come in; the SHA-256 of their canonical file out, without keeping them all."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from analyzers.findings import Finding, canonical_line, canonical_order

_Order = tuple[int, str, str]
#: Lines from one mark to the next.
_APART: Final = 32


class CanonicalSum:
    """What `sha256` over the canonical lines of all findings gives, each added once, in whatever order.

    The file is in the order of time, so lines of long ago are hashed and gone. A finding that comes before them after
    all needs all of them again: `stored` reads those that were added in earlier calls.
    """

    def __init__(self, stored: Callable[[], Sequence[Finding]]) -> None:
        self._stored = stored
        self._hashed = hashlib.sha256()
        self._hashed_to: _Order | None = None
        self._lines: list[tuple[_Order, bytes]] = []
        #: After every so many lines, the hash up to there: a new one comes near the end.
        self._marks = [self._hashed]

    @property
    def kept(self) -> int:
        """How many lines are held in memory."""
        return len(self._lines)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings that were not taken before."""
        lines = [(canonical_order(one), canonical_line(one)) for one in findings]
        if self._hashed_to is not None and any(order <= self._hashed_to for order, _ in lines):
            lines += [(canonical_order(one), canonical_line(one)) for one in self._stored()]
            self._hashed, self._hashed_to, self._lines = hashlib.sha256(), None, []
            self._marks = [self._hashed]
        for line in lines:
            place = bisect_right(self._lines, line)
            self._lines.insert(place, line)
            del self._marks[1 + place // _APART :]

    def settle(self, before_ns: int) -> None:
        """Hash what began before: later findings rarely do. All that were added are stored."""
        old = [line for line in self._lines if line[0][0] < before_ns]
        for _, line in old:
            self._hashed.update(line)
        if old:
            self._hashed_to, self._lines = old[-1][0], self._lines[len(old) :]
            self._marks = [self._hashed]

    def hexdigest(self) -> str:
        """Of all that were added up to now."""
        for place in range(len(self._marks) - 1, len(self._lines) // _APART):
            mark = self._marks[place].copy()
            for _, line in self._lines[place * _APART : (place + 1) * _APART]:
                mark.update(line)
            self._marks.append(mark)
        total = self._marks[-1].copy()
        for _, line in self._lines[(len(self._marks) - 1) * _APART :]:
            total.update(line)
        return total.hexdigest()
