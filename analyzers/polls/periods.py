"""Times of requests in; the period they keep out, where they keep one.

The rule: of nine requests in a row, the median of the eight intervals is the period if at least seven of the eight lie
within a quarter of it around one, two or three times the period, and at least five around once. So one retry, one lost
answer, one burst or one reconnection does not spoil it, and neither do two lost ones; a person who clicks, a trend page
that is asked for now and then, and two pollers that ask for the same in turns do not look like a poll. Where a second,
slower poller asks for the same, its requests fall into the faster one's slots, and the faster period is learned.

Pure functions of integers (ns): the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]

#: Requests in a row that a period is learned from.
WINDOW: Final = 9
_FITTING: Final = 7
_ONCE: Final = 5
_MOST_TIMES: Final = 3
#: Faster than this is no poll of a person's making, and a burst more likely than a period.
SHORTEST_NS: Final = 10_000_000


def period_of(times: Sequence[int]) -> int:
    """The period that WINDOW times keep, in ns; 0 for none."""
    return int(periods(np.asarray(times, dtype=np.int64))[0])


def periods(times: Times) -> Times:
    """For each WINDOW times in a row the period that they keep, 0 for none; len(times) - WINDOW + 1 of them."""
    if len(times) < WINDOW:
        return np.zeros(0, dtype=np.int64)
    intervals = np.lib.stride_tricks.sliding_window_view(np.diff(times), WINDOW - 1)
    period = np.median(intervals, axis=1).astype(np.int64)
    usable = period >= SHORTEST_NS
    divisor = np.where(usable, period, 1)[:, None]
    multiple = (2 * intervals + divisor) // (2 * divisor)
    fits = (
        (np.abs(intervals - multiple * divisor) * 4 <= divisor) & (multiple >= 1) & (multiple <= _MOST_TIMES)
    )
    once = fits & (multiple == 1)
    regular = usable & (fits.sum(axis=1) >= _FITTING) & (once.sum(axis=1) >= _ONCE)
    return np.where(regular, period, 0)


def slots_between(earlier_ns: int, later_ns: int, period_ns: int) -> int:
    """How many slots later a time is: 0 the same slot, 1 the next; less than 0 where the clock went back.

    A request belongs to the slot whose due time is nearest: half a period late is on time, more is the next one's.
    """
    return (2 * (later_ns - earlier_ns) + period_ns) // (2 * period_ns)


def differs(period_ns: int, other_ns: int) -> bool:
    """Whether two periods are two: more than a quarter apart."""
    return abs(period_ns - other_ns) * 4 > min(period_ns, other_ns)
