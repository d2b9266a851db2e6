"""When a client asked a server nothing at all: the times of its answered requests in, its silences out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analyzers.polls.facts import Conversation
from analyzers.polls.periods import Times

_Numbers = npt.NDArray[np.int64]
#: A period that is longer counts as this: five of its halves fit 64 bits.
_LONGEST_NS: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Heard:
    """When one conversation's client was last heard, None for never, and its silences before."""

    last_ns: int | None = None
    silences: Sequence[tuple[int, int]] = ()

    def silent_at(self, at_ns: int) -> bool:
        """Whether the client said nothing around that moment: it lies in a silence, or after the last word."""
        if self.last_ns is None or at_ns > self.last_ns:
            return True
        place = bisect_right(self.silences, (at_ns,)) - 1
        return place >= 0 and self.silences[place][0] < at_ns < self.silences[place][1]

    def silent_since(self, at_ns: int) -> int | None:
        """Since when the client says nothing at that moment, which may be the moment itself; None: it never did."""
        if self.last_ns is None or at_ns > self.last_ns:
            return self.last_ns
        place = bisect_right(self.silences, (at_ns,)) - 1
        is_silent = place >= 0 and self.silences[place][0] < at_ns < self.silences[place][1]
        return self.silences[place][0] if is_silent else at_ns


class Silences:
    """The silences of conversations with polls; only those that matter to the polls are kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._numbers: dict[Conversation, int] = {}
        self._last_ns = np.zeros(0, dtype=np.int64)
        self._heard = np.zeros(0, dtype=np.bool_)
        self._kept: dict[int, list[tuple[int, int]]] = {}
        #: Silences that found no room.
        self.evicted = 0

    def number(self, conversation: Conversation) -> int:
        """What a conversation is called by in `take`."""
        number = self._numbers.setdefault(conversation, len(self._numbers))
        if number >= len(self._last_ns):
            self._last_ns = np.concatenate([self._last_ns, np.zeros(number + 8, dtype=np.int64)])
            self._heard = np.concatenate([self._heard, np.zeros(number + 8, dtype=np.bool_)])
        return number

    def take(self, numbers: _Numbers, times_ns: Times, shortest_ns: Times) -> None:
        """Times at which clients asked, or said, something, in the order in which it was answered.

        `shortest_ns`: the shortest period of the polls of each one's conversation.
        """
        if not len(numbers):
            return
        order = np.argsort(numbers, kind="stable")
        numbers, times_ns, shortest_ns = numbers[order], times_ns[order], shortest_ns[order]
        begins = np.flatnonzero(np.diff(numbers, prepend=-1))
        of = numbers[begins]
        up_to = _latest(times_ns, begins)
        before = np.roll(up_to, 1)
        before[begins] = self._last_ns[of]
        known = np.ones(len(numbers), dtype=np.bool_)
        known[begins] = self._heard[of]
        # An earlier batch may have heard the client later than this one does.
        earlier = np.where(self._heard[of], self._last_ns[of], np.iinfo(np.int64).min)
        counts = np.diff(begins, append=len(numbers))
        before = np.maximum(before, np.repeat(earlier, counts))
        # No slot that lies within less than this can be one of three in a row.
        least_ns = 5 * np.minimum(shortest_ns, _LONGEST_NS) // 2
        for at in np.flatnonzero(known & (times_ns - before > least_ns)).tolist():
            self._keep(int(numbers[at]), (int(before[at]), int(times_ns[at])))
        self._last_ns[of] = np.maximum(up_to[begins + counts - 1], earlier)
        self._heard[of] = True

    def _keep(self, number: int, silence: tuple[int, int]) -> None:
        kept = self._kept.setdefault(number, [])
        if len(kept) < self._limit:
            kept.append(silence)
        else:
            self.evicted += 1

    def forget(self, before_ns: int) -> None:
        """Silences that ended before that are no longer needed."""
        for number, kept in self._kept.items():
            self._kept[number] = [one for one in kept if one[1] >= before_ns]

    def of(self, conversation: Conversation) -> Heard:
        """What is known of a conversation."""
        number = self._numbers.get(conversation)
        if number is None or not self._heard[number]:
            return Heard()
        return Heard(int(self._last_ns[number]), self._kept.get(number, ()))


def _latest(times: Times, begins: _Numbers) -> Times:
    """The latest time up to each, within its group: groups begin at `begins`."""
    order = np.argsort(times, kind="stable")
    rank = np.empty(len(times), dtype=np.int64)
    rank[order] = np.arange(len(times))
    group = np.zeros(len(times), dtype=np.int64)
    group[begins[1:]] = 1
    group = np.cumsum(group) * len(times)
    return times[order[np.maximum.accumulate(rank + group) - group]]
