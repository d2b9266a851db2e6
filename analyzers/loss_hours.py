"""One scope's data segments, minute by minute as they come, in; the hours that lost more than the target allows out.

An hour begins with a minute that lost something. What is over is not looked at again.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: Minutes that loss is looked at over.
LOSS_WINDOW: Final = 60
#: Lost segments that the target allows lose so many more by chance less often than this: one hour of a thousand.
_CHANCE: Final = 0.001

#: Minute since the epoch, lost segments, data segments.
Sent = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LossyHour:
    """From the first to the last minute that lost something, and what the hour from the first on lost of what."""

    first: int
    last: int
    lost: int
    sent: int


class LossHours:
    """The data segments of one scope; grows with the minutes whose hour may still change, and with what was found."""

    def __init__(self, target: float) -> None:
        """`target`: the share of data segments that may be lost."""
        self._target = target
        self._minutes: list[Sent] = []
        self._found: list[LossyHour] = []
        #: Minutes before this are over.
        self._settled: int | None = None

    def put(self, first: int, rows: Sequence[Sent]) -> None:
        """Take rows in order of their minutes, in the place of all there are from the minute `first` on."""
        if self._settled is not None:
            first, rows = max(first, self._settled), [row for row in rows if row[0] >= self._settled]
        self._minutes[bisect_left(self._minutes, (first,)) :] = rows

    def settle(self, newest: int, over: int) -> None:
        """Look no more at hours that ended before the minute `newest`; forget those found before the minute `over`."""
        place = 0
        for first, taken, hour in self._walk():
            if self._minutes[first][1] and self._minutes[first][0] + LOSS_WINDOW > newest:
                break
            place = first + taken
            self._found += [hour] if hour else []
        if place:
            self._settled = self._minutes[place - 1][0] + 1
            del self._minutes[:place]
        self._found = [hour for hour in self._found if hour.last >= over]

    def hours(self) -> list[LossyHour]:
        """Those that lost too much, by time."""
        return [*self._found, *(hour for _, _, hour in self._walk() if hour)]

    def _walk(self) -> Iterator[tuple[int, int, LossyHour | None]]:
        """Places in order, each with the number of minutes that are done with it, and the hour where it lost much."""
        place = 0
        while place < len(self._minutes):
            hour = self._hour(place) if self._minutes[place][1] else None
            taken = 1 if hour is None else len(self._window(place))
            yield place, taken, hour
            place += taken

    def _window(self, place: int) -> Sequence[Sent]:
        end = bisect_left(self._minutes, (self._minutes[place][0] + LOSS_WINDOW,), lo=place)
        return self._minutes[place:end]

    def _hour(self, place: int) -> LossyHour | None:
        window = self._window(place)
        lost, sent = sum(one[1] for one in window), sum(one[2] for one in window)
        allowed = self._target * sent
        if lost <= allowed or _by_chance(lost, allowed) >= _CHANCE:
            return None
        return LossyHour(window[0][0], max(one[0] for one in window if one[1]), lost, sent)


def _by_chance(lost: int, allowed: float) -> float:
    """How likely so many or more are lost where `allowed` are on average: the tail of Poisson's distribution."""
    if not allowed:
        return 0.0
    fewer = sum(
        math.exp(count * math.log(allowed) - allowed - math.lgamma(count + 1)) for count in range(lost)
    )
    return 1 - fewer
