"""Findings as they come in; the SHA-256 of their canonical file out, without keeping them all."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Callable, Iterable, Sequence

from analyzers.findings import Finding, canonical_line, canonical_order

_Order = tuple[int, str, str]


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
        for line in lines:
            insort(self._lines, line)

    def settle(self, before_ns: int) -> None:
        """Hash what began before: later findings rarely do. All that were added are stored."""
        old = [line for line in self._lines if line[0][0] < before_ns]
        for _, line in old:
            self._hashed.update(line)
        if old:
            self._hashed_to, self._lines = old[-1][0], self._lines[len(old) :]

    def hexdigest(self) -> str:
        """Of all that were added up to now."""
        total = self._hashed.copy()
        for _, line in self._lines:
            total.update(line)
        return total.hexdigest()
