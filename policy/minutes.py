"""Minutes in; how many different ones there were out. Those in a row take the room of one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Self


class Minutes:
    """A set of minutes, numbers, as stretches without a hole."""

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        """`stretches`: first and last minute of each, both in it, ordered and with a hole in between."""
        self._stretches = list(stretches)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(last - first + 1 for first, last in self._stretches)

    @property
    def last(self) -> int:
        """The last of them. Raises IndexError where there are none."""
        return self._stretches[-1][1]

    def add(self, minute: int) -> None:
        """Take one, again or for the first time."""
        place = bisect_left(self._stretches, minute, key=lambda one: one[1] + 1)
        if place == len(self._stretches) or self._stretches[place][0] > minute + 1:
            self._stretches.insert(place, (minute, minute))
            return
        first, last = self._stretches[place]
        last = max(last, minute)
        if place + 1 < len(self._stretches) and self._stretches[place + 1][0] == last + 1:
            last = self._stretches.pop(place + 1)[1]
        self._stretches[place] = (min(first, minute), last)

    def joined(self, others: Minutes) -> Self:
        """Those of both."""
        found: list[tuple[int, int]] = []
        for first, last in sorted([*self._stretches, *others._stretches]):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return type(self)(found)
