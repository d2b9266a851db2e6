"""Minutes in; how many different ones there were out. Those in a row take the room of one, those of long ago none."""

from __future__ import annotations

from bisect import bisect_left


class Minutes:
    """A set of minutes, numbers, as stretches without a hole: first and last minute of each, both in it."""

    def __init__(self) -> None:
        self._stretches: list[tuple[int, int]] = []
        #: How many there were before `_since`, which are no longer told apart.
        self._before = 0
        self._since: int | None = None
        #: The last of them; None without any.
        self.last: int | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return self._before + sum(last - first + 1 for first, last in self._stretches)

    @property
    def stretches(self) -> int:
        """How much room they take."""
        return len(self._stretches)

    def add(self, minute: int) -> None:
        """Take one, again or for the first time. One of long ago is not counted: it may have been."""
        if self._since is not None and minute < self._since:
            return
        self.last = minute if self.last is None else max(self.last, minute)
        place = bisect_left(self._stretches, minute, key=lambda one: one[1] + 1)
        if place == len(self._stretches) or self._stretches[place][0] > minute + 1:
            self._stretches.insert(place, (minute, minute))
            return
        first, last = self._stretches[place]
        last = max(last, minute)
        if place + 1 < len(self._stretches) and self._stretches[place + 1][0] == last + 1:
            last = self._stretches.pop(place + 1)[1]
        self._stretches[place] = (min(first, minute), last)

    def settle(self, since: int) -> None:
        """No minute before `since` comes any more: those are a number from now on."""
        self._since = since if self._since is None else max(self._since, since)
        left = [(max(first, self._since), last) for first, last in self._stretches if last >= self._since]
        everything = self.count
        self._stretches = left
        self._before += everything - self.count
