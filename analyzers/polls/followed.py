"""Answers of many relations in, in their order; the period, the slots and the stretches of each out.

Columns, one row a relation: what a batch brings is taken at once, whether one relation has thousands of answers in it
or thousands have one each. Good answers come in the order in which they were answered, whatever the cut into batches;
what came to nothing may be told of much later (who waits in vain waits a minute), so those only add marks, in any
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analyzers.polls.advancing import Answers, Numbers, States, advance, states
from analyzers.polls.periods import WINDOW, Times, periods
from analyzers.polls.relation import Bad, Good, Relation, Stretch, Subject

#: Good answers that wait until it is known that they do not begin a faster period.
_WAITING: Final = WINDOW - 1
_PLACES: Final = np.arange(_WAITING)


class Followed:
    """What is known of every relation, by its number; grows with relations and what goes wrong in them."""

    def __init__(self, marks_limit: int) -> None:
        self._limit = marks_limit
        self._count = 0
        self._states = states(0)
        self._waiting = np.zeros((0, _WAITING, 3), dtype=np.int64)
        self._stretches: dict[int, list[Stretch]] = {}
        self._bad: dict[int, list[Bad]] = {}
        #: Marks that found no room.
        self.evicted = 0
        #: Goes up whenever a period is learned.
        self.learned = 0

    def add(self, deadlines_ns: npt.ArrayLike, declared_ns: npt.ArrayLike) -> None:
        """Relations more, numbered on; their deadlines, and their periods where the policy declares them, else 0."""
        new = np.array(deadlines_ns, dtype=np.int64)
        first, self._count = self._count, self._count + len(new)
        if self._count > len(self._states):
            more = max(self._count, 2 * len(self._states)) - len(self._states)
            self._states = np.concatenate([self._states, states(more)])
            room = np.zeros((more, _WAITING, 3), dtype=np.int64)
            self._waiting = np.concatenate([self._waiting, room])
        added = self._states[first : self._count]
        added["deadline_ns"], added["period_ns"] = new, declared_ns
        added["declared"] = added["period_ns"] > 0
        self.learned += int(added["declared"].any())

    def fail(self, marks: Iterable[tuple[int, Bad]]) -> None:
        """Requests that came to nothing, each with the number of its relation."""
        for number, mark in marks:
            kept = self._bad.setdefault(number, [])
            if len(kept) < self._limit:
                kept.append(mark)
            else:
                self.evicted += 1

    def take(self, relation: Numbers, answers: Answers) -> None:
        """Good answers in their order, and the number of the relation of each."""
        if not len(relation):
            return
        order = np.argsort(relation, kind="stable")
        relation, answers = relation[order], answers[order]
        begins = np.flatnonzero(np.diff(relation, prepend=-1))
        touched, counts = relation[begins], np.diff(begins, append=len(relation))
        self._see_first(touched, answers[begins, 0])
        state = self._states[touched]
        total = state["waiting"] + counts
        #: The place of each among the answers of its relation, those that wait before it.
        place = np.arange(len(relation)) + np.repeat(state["waiting"] - begins, counts)
        short = ~state["declared"] & (total < WINDOW)
        waits = np.repeat(short, counts)
        self._waiting[relation[waits], place[waits]] = answers[waits]
        self._states["waiting"][touched[short]] = total[short]
        if not short.all():
            self._go_on(touched[~short], total[~short], counts[~short], place[~waits], answers[~waits])

    def _see_first(self, touched: Numbers, times: Times) -> None:
        new = ~self._states["answered"][touched]
        self._states["earliest_ns"][touched[new]] = times[new]
        self._states["answered"][touched] = True

    def _go_on(self, of: Numbers, total: Numbers, counts: Numbers, place: Numbers, answers: Answers) -> None:
        """Relations with answers enough to learn a period from, or with a declared one: what is sure advances them."""
        ends = np.cumsum(total)
        begins, learning = ends - total, ~self._states["declared"][of]
        line = np.empty((ends[-1], 3), dtype=np.int64)
        line[np.repeat(begins, counts) + place] = answers
        waited = (total - counts)[:, None] > _PLACES
        line[(begins[:, None] + _PLACES)[waited]] = self._waiting[of][waited]
        group = np.repeat(np.arange(len(of)), total)
        period = self._in_force(of, line[:, 0], group, ends, learning)
        settled = np.arange(len(line)) < np.repeat(ends - np.where(learning, _WAITING, 0), total)
        sure = settled & (period > 0)
        advance(self._states, of[group[sure]], line[sure], period[sure], self._keep)
        self._waiting[of[learning]] = line[ends[learning, None] - _WAITING + _PLACES]
        self._states["waiting"][of[learning]] = _WAITING

    def _in_force(
        self, of: Numbers, times: Times, group: Numbers, ends: Numbers, learning: npt.NDArray[np.bool_]
    ) -> Times:
        """The period at each answer; a relation's own is from now on the last of them.

        A period begins where none was known, or where the client asks faster. That it asks slower cannot be told from
        good answers alone: every second request may be failing.
        """
        known = self._states["period_ns"][of]
        in_force = known[group]
        found = periods(times)
        whole = (group[: len(found)] == group[WINDOW - 1 :][: len(found)]) & learning[group[: len(found)]]
        places = np.flatnonzero(whole & (found > 0))
        while True:
            period, at = found[places], known[group[places]]
            # 4 period < 3 at, without a product that may overflow.
            places = places[(at == 0) | (period <= at - (at + 4) // 4)]
            if not len(places):
                break
            first = np.diff(group[places], prepend=-1) != 0
            for place in places[first].tolist():
                in_force[place : ends[group[place]]] = found[place]
            known[group[places[first]]] = found[places[first]]
            places = places[~first]
            self.learned += 1
        self._states["period_ns"][of] = known
        return in_force

    def _keep(self, number: int, stretch: Stretch) -> None:
        kept = self._stretches.setdefault(number, [])
        if len(kept) < self._limit:
            kept.append(stretch)
        else:
            self.evicted += 1

    def forget(self, before_ns: int) -> None:
        """Stretches that ended before that are told, and no longer needed; what is still open stays whole."""
        for number, stretches in list(self._stretches.items()):
            left = [one for one in stretches if one.after is None or one.after.ts_ns >= before_ns]
            self._stretches[number] = left
            if not left:
                del self._stretches[number]
        for number, bad in self._bad.items():
            if self._states["good"][number]:
                open_ns = min(before_ns, int(self._states["last"][number, 0]))
                self._bad[number] = [one for one in bad if one.ts_ns >= open_ns]

    def last_answers(self) -> Answers:
        """The last good answer of each relation that has one."""
        known = self._states[: self._count]
        last: Answers = known["last"][known["good"] > 0]
        return last

    def failing(self) -> Iterable[tuple[int, Sequence[Bad]]]:
        """What came to nothing, by the number of its relation."""
        return self._bad.items()

    def periodic(self) -> tuple[Numbers, Times]:
        """The relations that keep a period, and the periods."""
        period = self._states["period_ns"][: self._count]
        numbers = np.flatnonzero(period)
        return numbers, period[numbers]

    def judgeable(self) -> Numbers:
        """The relations of which anything can be said: that keep a period, or were never answered."""
        answered = self._states["answered"]
        in_vain = [number for number in self._bad if not answered[number]]
        return np.union1d(self.periodic()[0], np.array(in_vain, dtype=np.int64))

    def up_to_now(
        self, numbers: Numbers, subjects: Callable[[Sequence[int]], list[Subject]]
    ) -> list[Relation]:
        """Relations, as if the answers that still wait were taken; this goes on unchanged."""
        state = self._states[numbers]
        waiting = np.where(state["period_ns"] > 0, state["waiting"], 0)
        waits = waiting[:, None] > _PLACES
        place = np.repeat(np.arange(len(numbers)), waiting)
        late: dict[int, list[Stretch]] = {}
        advance(
            state,
            place,
            self._waiting[numbers][waits],
            state["period_ns"][place],
            lambda number, stretch: late.setdefault(number, []).append(stretch),
        )
        listed: list[int] = numbers.tolist()
        stretches = [[*self._stretches.get(one, ()), *late.get(at, ())] for at, one in enumerate(listed)]
        bad = [self._bad.get(number, []) for number in listed]
        rows = zip(subjects(listed), *_columns(state), stretches, bad, strict=True)
        return [Relation(*row) for row in rows]


def _columns(state: States) -> list[list[Any]]:
    """What a Relation holds between its subject and its marks, in its order."""
    good = state["good"].tolist()
    earliest = zip(state["answered"].tolist(), state["earliest_ns"].tolist(), strict=True)
    return [
        state["deadline_ns"].tolist(),
        state["declared"].tolist(),
        state["period_ns"].tolist(),
        [at_ns if answered else None for answered, at_ns in earliest],
        good,
        [Good(*one) if many else None for one, many in zip(state["first"].tolist(), good, strict=True)],
        [Good(*one) if many else None for one, many in zip(state["last"].tolist(), good, strict=True)],
        *(state[name].tolist() for name in ("streak", "intervals", "jitter_max_ns", "clock_set_back")),
    ]
