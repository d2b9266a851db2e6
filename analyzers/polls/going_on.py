"""Stretches that go on in, judged again and again; their slots out, each looked at once.

An outage that lasts for days has as many slots as it has periods. What became of the first ones does not change any
more, unless something is learned late that it rests on: then all are looked at again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from analyzers.polls.outages import Bads
from analyzers.polls.relation import Bad, Relation, Stretch
from analyzers.polls.silences import Heard
from analyzers.polls.slots import Fate, Slot, SlotsBefore, Surroundings, rule_of_missed, slots_of, steps_of
from policy.violations import MINUTE_NS

#: Slots are looked at again for so long: requests without an answer are told of two minutes late.
_LATE_NS: Final = 5 * MINUTE_NS
_LATE_PERIODS: Final = 6
#: Minutes in which slots were missed are told apart for so long: they are measured within a few minutes.
_MISSED_NS: Final = 30 * MINUTE_NS


@dataclass(slots=True)
class Judged:
    """The slots of one stretch, one after the other."""

    bads: Bads = field(default_factory=Bads)
    #: Slots that nobody asked in, by the start of the minute.
    missed: Counter[int] = field(default_factory=Counter)
    stopped: int = 0

    def copy(self, since_ns: int) -> Judged:
        """The same, to go on with by itself; missed slots of the minutes before are left out."""
        missed = Counter({at_ns: count for at_ns, count in self.missed.items() if at_ns >= since_ns})
        return Judged(self.bads.copy(), missed, self.stopped)

    def take(self, slot: Slot) -> None:
        """The next slot."""
        self.bads.take(slot)
        if slot.fate is Fate.MISSED:
            self.missed[slot.at_ns // MINUTE_NS * MINUTE_NS] += 1
        elif slot.fate is Fate.STOPPED:
            self.stopped += 1


@dataclass(frozen=True, slots=True)
class _Known:
    """The first slots of a stretch, and everything that they rest on."""

    slots: SlotsBefore
    basis: tuple[Any, ...]
    judged: Judged


class GoingOn:
    """What became of the first slots of stretches that go on; grows with relations."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], _Known] = {}

    def judged(
        self,
        relation: Relation,
        stretch: Stretch,
        bad: Sequence[Bad],
        heard: Heard,
        surroundings: Surroundings,
    ) -> Judged:
        """All slots of a stretch without an end whose time is up; `bad`: its requests, by time."""
        subject = relation.subject
        key = (*subject.conversation, subject.service, subject.what)
        step_ns, count = steps_of(relation, stretch, surroundings.horizon_ns)
        asked = _requests(stretch, bad, step_ns, count) > _requests(stretch, bad, step_ns, 0)
        rests = _Rests(
            relation,
            stretch,
            bad,
            heard,
            surroundings,
            rule_of_missed(relation, stretch, asked, surroundings),
        )
        known = self._known.get(key)
        if known is None or known.slots.count > count or known.basis != rests.on(known.slots.count):
            known = _Known(SlotsBefore(0, asked), (), Judged())
        before = SlotsBefore(known.slots.count, asked, known.slots.blind)
        judged = known.judged.copy(0)
        late_ns = max(_LATE_NS, _LATE_PERIODS * step_ns) + relation.deadline_ns
        settled = (surroundings.horizon_ns - late_ns - stretch.before.ts_ns) // step_ns
        requests = bad[_requests(stretch, bad, step_ns, before.count) :]
        blind = before.blind
        slots = slots_of(relation, stretch, requests, surroundings, before)
        for number, slot in enumerate(slots, start=before.count + 1):
            judged.take(slot)
            is_silent = slot.at_ns // MINUTE_NS * MINUTE_NS in surroundings.seen.silent
            blind = not slot.frame and (blind or is_silent)
            if number == settled and (basis := rests.on(number)):
                of_minutes = judged.copy(slot.at_ns - _MISSED_NS)
                self._known[key] = _Known(SlotsBefore(number, asked, blind), basis, of_minutes)
        return judged


@dataclass(frozen=True, slots=True)
class _Rests:
    """What the fates of the first slots of a stretch rest on."""

    relation: Relation
    stretch: Stretch
    bad: Sequence[Bad]
    heard: Heard
    surroundings: Surroundings
    rule: Fate | None

    def on(self, count: int) -> tuple[Any, ...]:
        """All of it, for so many slots; empty where a later slot may still tell more of them."""
        step_ns, seen = self.relation.period_ns, self.surroundings.seen
        first_ns = self.stretch.before.ts_ns // MINUTE_NS * MINUTE_NS
        last_ns = self.stretch.before.ts_ns + count * step_ns
        next_ns = (last_ns + step_ns) // MINUTE_NS * MINUTE_NS
        if any(minute_ns >= next_ns for minute_ns in seen.silent):
            return ()
        return (
            self.stretch.before,
            step_ns,
            self.relation.deadline_ns,
            self.rule,
            _requests(self.stretch, self.bad, step_ns, count),
            self.heard.silent_since(last_ns) if self.rule is None else None,
            *(
                frozenset(one for one in minutes if first_ns <= one <= last_ns + step_ns)
                for minutes in (seen.invalid, seen.silent)
            ),
        )


def _requests(stretch: Stretch, bad: Sequence[Bad], step_ns: int, count: int) -> int:
    """How many of the requests come before those of the slots after the first so many."""
    return bisect_left(bad, (stretch.before.ts_ns + (step_ns * (2 * count + 1) + 1) // 2,))
