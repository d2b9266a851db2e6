"""Good answers of many relations in; the slots that they fill, the jitter, and the stretches between them, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analyzers.polls.periods import Times, slots_between
from analyzers.polls.relation import Good, Stretch

Numbers = npt.NDArray[np.int64]
#: One row an answer: the time of its request (ns), its flow, its frame.
Answers = npt.NDArray[np.int64]
#: One row a relation: columns of _STATE.
States = npt.NDArray[Any]

_STATE: Final = np.dtype(
    [
        ("deadline_ns", np.int64),
        ("declared", np.bool_),
        ("period_ns", np.int64),
        ("answered", np.bool_),
        ("earliest_ns", np.int64),
        #: Good slots; `first` and `last` are answers, and nothing while this is 0.
        ("good", np.int64),
        ("first", np.int64, (3,)),
        ("last", np.int64, (3,)),
        ("streak", np.int64),
        ("intervals", np.int64),
        ("jitter_max_ns", np.int64),
        ("clock_set_back", np.int64),
        #: Good answers that wait.
        ("waiting", np.int64),
    ]
)
#: Times and distances (ns) up to which twice a distance and a period fit 64 bits.
_TIMES_FIT: Final = 1 << 62
_DISTANCES_FIT: Final = 1 << 60

_Keep = Callable[[int, Stretch], None]


def states(count: int) -> States:
    """So many relations of which nothing is known."""
    return np.zeros(count, dtype=_STATE)


def advance(state: States, relation: Numbers, answers: Answers, period_ns: Times, keep: _Keep) -> None:
    """Take answers, those of a relation together and in their order, with the period in force at each (not 0).

    `state` is changed; `relation` are places in it; `keep` is given every stretch.
    """
    if not len(relation):
        return
    head = np.diff(relation, prepend=-1) != 0
    begins = np.flatnonzero(head)
    touched, counts = relation[begins], np.diff(begins, append=len(relation))
    before = np.empty_like(answers)
    before[1:] = answers[:-1]
    before[begins] = state["last"][touched]
    new = head & (state["good"][relation] == 0)
    before[new] = answers[new]
    distance = answers[:, 0] - before[:, 0]
    # As slots_between.
    slots = (2 * distance + period_ns) // (2 * period_ns)
    # A slot that has its answer already makes the next distance one from an earlier answer.
    uneven = ((slots == 0) & ~new) | ~_fit(answers[:, 0], before[:, 0], distance, period_ns)
    singly = np.logical_or.reduceat(uneven, begins)
    next_one = (slots == 1) & ~new
    streak = _streaks(state["streak"][touched], next_one, begins, counts)
    held = np.roll(streak, 1)
    held[begins] = state["streak"][touched]

    at_once, even, last = np.repeat(~singly, counts), touched[~singly], (begins + counts - 1)[~singly]
    state["first"][relation[new & at_once]] = answers[new & at_once]
    state["last"][even], state["streak"][even] = answers[last], streak[last]
    state["good"][even] += counts[~singly]
    state["intervals"][even] += np.add.reduceat(next_one, begins, dtype=np.int64)[~singly]
    state["clock_set_back"][even] += np.add.reduceat(slots < 0, begins, dtype=np.int64)[~singly]
    jitter = np.maximum.reduceat(np.where(next_one, np.abs(distance - period_ns), 0), begins)[~singly]
    state["jitter_max_ns"][even] = np.maximum(state["jitter_max_ns"][even], jitter)
    for at in np.flatnonzero((slots > 1) & at_once).tolist():
        ends = Good(*before[at].tolist()), Good(*answers[at].tolist())
        keep(int(relation[at]), Stretch(*ends, int(slots[at]), int(held[at])))
    for number, begin, count in zip(touched[singly], begins[singly], counts[singly], strict=True):
        one = slice(begin, begin + count)
        _advance_singly(state[number : number + 1], answers[one], period_ns[one], keep, int(number))


def _fit(times: Times, before: Times, distance: Times, period_ns: Times) -> npt.NDArray[np.bool_]:
    """Whether 64 bits are enough to tell slots: hostile times may be centuries apart."""
    small = (np.abs(times) < _TIMES_FIT) & (np.abs(before) < _TIMES_FIT)
    fit: npt.NDArray[np.bool_] = (
        small & (np.abs(distance) < _DISTANCES_FIT) & (period_ns < _DISTANCES_FIT) & (period_ns > 0)
    )
    return fit


def _streaks(held: Numbers, next_one: npt.NDArray[np.bool_], begins: Numbers, counts: Numbers) -> Numbers:
    """Slots in a row that were good up to each answer; `held` before the first of each relation."""
    places = np.arange(len(next_one))
    broken = np.maximum.accumulate(np.where(next_one, -1, places))
    begin = np.repeat(begins, counts)
    return np.where(broken >= begin, places - broken, np.repeat(held, counts) + places - begin + 1)


def _advance_singly(state: States, answers: Answers, period_ns: Times, keep: _Keep, number: int) -> None:
    """The same for one relation, answer by answer: where several came in a slot."""
    good, streak = int(state["good"][0]), int(state["streak"][0])
    last = Good(*state["last"][0].tolist())
    intervals = jitter_ns = set_back = 0
    for values, period in zip(answers.tolist(), period_ns.tolist(), strict=True):
        answer = Good(*values)
        if not good:
            state["first"][0] = values
            last, good = answer, 1
            continue
        slots = slots_between(last.ts_ns, answer.ts_ns, period)
        if slots == 0:
            continue  # a retry, a burst, or another poller: the slot has its answer
        if slots == 1:
            jitter_ns = max(jitter_ns, abs(answer.ts_ns - last.ts_ns - period))
            intervals, streak = intervals + 1, streak + 1
        elif slots < 0:
            set_back, streak = set_back + 1, 0
        else:
            keep(number, Stretch(last, answer, slots, streak))
            streak = 0
        last, good = answer, good + 1
    state["last"][0], state["good"][0], state["streak"][0] = last, good, streak
    state["intervals"][0] += intervals
    state["clock_set_back"][0] += set_back
    state["jitter_max_ns"][0] = max(int(state["jitter_max_ns"][0]), jitter_ns)
