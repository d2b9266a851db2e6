"""When a client asked a server nothing at all: the times of a conversation's answered requests in, its silences out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Silences:
    """The silences of one conversation; only those that matter to its polls are kept."""

    #: The shortest period of the conversation's polls, ns; 0 while it has none.
    shortest_ns: int = 0
    last_ns: int | None = None
    kept: list[tuple[int, int]] = field(default_factory=list)
    evicted: int = 0

    def take(self, times_ns: Iterable[int], limit: int) -> None:
        """Add times at which the client asked, or said, something; in the order in which it was answered."""
        # No slot that lies within less than this can be one of three in a row.
        least_ns = 5 * self.shortest_ns // 2
        for at_ns in times_ns:
            if self.last_ns is not None and at_ns > self.last_ns + least_ns and least_ns:
                if len(self.kept) < limit:
                    self.kept.append((self.last_ns, at_ns))
                else:
                    self.evicted += 1
            self.last_ns = at_ns if self.last_ns is None else max(self.last_ns, at_ns)

    def forget(self, before_ns: int) -> None:
        """Silences that ended before that are no longer needed."""
        self.kept = [one for one in self.kept if one[1] >= before_ns]

    def silent_at(self, at_ns: int) -> bool:
        """Whether the client said nothing around that moment: it lies in a silence, or after the last word."""
        if self.last_ns is None or at_ns > self.last_ns:
            return True
        place = bisect_right(self.kept, (at_ns,)) - 1
        return place >= 0 and self.kept[place][0] < at_ns < self.kept[place][1]
