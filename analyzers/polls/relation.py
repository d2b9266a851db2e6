"""One client's requests of one kind to one server in; its slots, and the stretches without a good one, out.

Good answers come in the order in which they were answered, whatever the cut into batches; what came to nothing may be
told of much later (who waits in vain waits a minute), so those only add marks, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Self

import numpy as np

from analyzers.polls.periods import WINDOW, periods, slots_between

#: Good answers that wait until it is known that they do not begin a faster period.
_WAITING: Final = WINDOW - 1


class Good(NamedTuple):
    """A request that was answered well and in time."""

    ts_ns: int
    flow_id: int
    frame: int


class Bad(NamedTuple):
    """A request that was not: late, refused or unanswered."""

    ts_ns: int
    how: str
    frame: int


class Stretch(NamedTuple):
    """From one good answer to the next that is not in the next slot; `after` is None where none has come yet."""

    before: Good
    after: Good | None
    #: Slots from one to the other.
    slots: int
    #: Slots in a row that were good before it, each in the one after the other.
    streak: int


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks whom for what, and where they are."""

    client_ip: bytes
    server_ip: bytes
    ip_proto: int
    server_port: int
    service: str
    what: str
    client_zone: str
    server_zone: str
    conduit: str
    role_source: str
    #: The flow's server is the one who asks.
    turned: bool = False

    @property
    def conversation(self) -> tuple[bytes, bytes, int, int]:
        """Client, server, IP protocol and port."""
        return self.client_ip, self.server_ip, self.ip_proto, self.server_port


@dataclass(slots=True)
class Relation:
    """What is known of one relation so far."""

    subject: Subject
    #: After this an answer is late.
    deadline_ns: int
    #: The policy declares it: its period is given, and its silence is an outage whatever else the client asks.
    declared: bool = False
    #: ns; 0 while none is known.
    period_ns: int = 0
    #: The first good answer of all, before a period was known.
    earliest_ns: int | None = None
    #: Good slots, and where the last of them is.
    good: int = 0
    first: Good | None = None
    last: Good | None = None
    streak: int = 0
    #: |interval - period| of successive slots: how many, and the largest.
    intervals: int = 0
    jitter_max_ns: int = 0
    #: Times that the clock went back by more than half a period: nothing is judged across them.
    clock_set_back: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    evicted: int = 0
    _waiting: list[Good] = field(default_factory=list)

    def take(self, good: Sequence[Good], bad: Sequence[Bad], limit: int) -> None:
        """Add answers in their order, and what came to nothing, in any; `limit` marks of each are kept."""
        room = max(limit - len(self.bad), 0)
        self.bad += bad[:room]
        self.evicted += max(len(bad) - room, 0)
        if not good:
            return
        if self.earliest_ns is None:
            self.earliest_ns = good[0].ts_ns
        waiting = [*self._waiting, *good]
        if self.declared:
            self._advance(waiting, limit)
            return
        begin = 0
        if len(waiting) >= WINDOW:
            found = periods(np.fromiter((one.ts_ns for one in waiting), np.int64, len(waiting)))
            for start in np.flatnonzero(found).tolist():
                if self._begins_anew(int(found[start])):
                    self._advance(waiting[begin:start], limit)
                    self.period_ns, begin = int(found[start]), start
            end = len(waiting) - _WAITING
            self._advance(waiting[begin:end], limit)
            begin = end
        self._waiting = waiting[begin:]

    def up_to_now(self) -> Self:
        """A copy that has taken the answers that still wait; this one goes on unchanged."""
        copy = replace(self, stretches=[*self.stretches])
        copy._advance(self._waiting, len(copy.stretches) + len(self._waiting))
        copy._waiting = []
        return copy

    def forget(self, before_ns: int) -> None:
        """Stretches that ended before that are told, and no longer needed; what is still open stays whole."""
        self.stretches = [one for one in self.stretches if one.after is None or one.after.ts_ns >= before_ns]
        open_ns = min(before_ns, self.last.ts_ns) if self.last is not None else None
        if open_ns is not None:
            self.bad = [one for one in self.bad if one.ts_ns >= open_ns]

    def _begins_anew(self, period_ns: int) -> bool:
        """No period was known, or the client asks faster now.

        That it asks slower cannot be told from good answers alone: every second request may be failing.
        """
        return not self.period_ns or period_ns * 4 < self.period_ns * 3

    def _advance(self, answers: Sequence[Good], limit: int) -> None:
        if not self.period_ns:
            return
        for answer in answers:
            if self.last is None:
                self.first = self.last = answer
                self.good = 1
                continue
            slots = slots_between(self.last.ts_ns, answer.ts_ns, self.period_ns)
            if slots == 0:
                continue  # a retry, a burst, or another poller: the slot has its answer
            if slots == 1:
                jitter = abs(answer.ts_ns - self.last.ts_ns - self.period_ns)
                self.intervals += 1
                self.jitter_max_ns = max(self.jitter_max_ns, jitter)
                self.streak += 1
            elif slots < 0:
                self.clock_set_back += 1
                self.streak = 0
            else:
                if len(self.stretches) < limit:
                    self.stretches.append(Stretch(self.last, answer, slots, self.streak))
                else:
                    self.evicted += 1
                self.streak = 0
            self.good += 1
            self.last = answer
