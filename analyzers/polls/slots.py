"""A stretch without a good answer in; each of its slots out, with what became of it and whether that is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from analyzers.polls.asked import EXCEPTION, LATE, UNANSWERED
from analyzers.polls.facts import Around, Seen
from analyzers.polls.periods import slots_between
from analyzers.polls.relation import Bad, Relation, Stretch
from policy.violations import MINUTE_NS

#: Slots that must have been good in a row before a learned poll's mere silence is held to be more than a pause.
STEADY: Final = 8
#: Slots of one stretch that are told apart: more than a month of seconds is no stretch any more.
_MOST_SLOTS: Final = 3_000_000


class Fate(StrEnum):
    """What became of a slot."""

    MISSED = "missed"
    UNANSWERED = "unanswered"
    EXCEPTION = "exception"
    LATE = "late"
    #: Not judged: the capture may have lost it, or the client chose to ask for something else.
    UNKNOWN = "unknown"
    #: The client ended its connection in order and asked no more.
    STOPPED = "stopped"
    #: In a change window that leaves the SLA's denominator.
    PLANNED = "planned"


BAD: Final = (Fate.MISSED, Fate.UNANSWERED, Fate.EXCEPTION, Fate.LATE)
_FATES: Final = {LATE: Fate.LATE, EXCEPTION: Fate.EXCEPTION, UNANSWERED: Fate.UNANSWERED}
#: Of several requests in one slot the one that came farthest tells.
_FARTHEST: Final = (Fate.LATE, Fate.EXCEPTION, Fate.UNANSWERED)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: when it was due, or asked; the frame of its request, 0 where none came."""

    at_ns: int
    fate: Fate
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the stretch itself."""

    seen: Seen
    around: Around
    #: Whether the client said nothing to the server around a moment.
    silent_at: Callable[[int], bool]
    #: Whether other polls of the server came to nothing between two moments: then it is not the client's choice.
    others_fail: Callable[[int, int], bool]
    #: Whether a moment lies in a change window that leaves the SLA's denominator.
    planned_at: Callable[[int], bool]
    #: The client goes on at its period after the stretch; a change of pace is no outage.
    resumed: bool
    #: The last packet of the capture: nothing after it is judged.
    horizon_ns: int


@dataclass(frozen=True, slots=True)
class SlotsBefore:
    """Slots of a stretch whose fate is known already: how many, and what of them counts for the next."""

    count: int = 0
    #: A request came in one of them.
    asked: bool = False
    #: They end with slots without a request next to a minute that the sensor missed.
    blind: bool = False


_NONE: Final = SlotsBefore()


def slots_of(
    relation: Relation,
    stretch: Stretch,
    bad: Sequence[Bad],
    surroundings: Surroundings,
    known: SlotsBefore = _NONE,
) -> Iterator[Slot]:
    """Every slot strictly between the two good answers, in order; of an open stretch those whose time is up.

    `bad`: the relation's requests of this stretch that came to nothing, by time. `known`: slots that are left out,
    and with them their requests.
    """
    step_ns, count = steps_of(relation, stretch, surroundings.horizon_ns)
    before_ns = stretch.before.ts_ns
    came = _by_slot(bad, before_ns, step_ns, known.count + 1, count)
    rule = rule_of_missed(relation, stretch, bool(came) or known.asked, surroundings)
    blind = _blind(surroundings.seen, before_ns, step_ns, known, count, came)
    for number in range(known.count + 1, count + 1):
        due_ns = before_ns + number * step_ns
        request = came.get(number)
        at_ns, frame = (due_ns, 0) if request is None else (request.ts_ns, request.frame)
        if surroundings.planned_at(at_ns):
            yield Slot(at_ns, Fate.PLANNED, frame)
        elif at_ns // MINUTE_NS * MINUTE_NS in surroundings.seen.invalid:
            yield Slot(at_ns, Fate.UNKNOWN, frame)
        elif request is not None:
            yield Slot(at_ns, _FATES[request.how], frame)
        elif number in blind:
            yield Slot(at_ns, Fate.UNKNOWN)
        elif rule is not None:
            yield Slot(at_ns, rule)
        else:
            yield Slot(at_ns, Fate.MISSED if surroundings.silent_at(due_ns) else Fate.UNKNOWN)


def steps_of(relation: Relation, stretch: Stretch, horizon_ns: int) -> tuple[int, int]:
    """From slot to slot of a stretch, and how many there are between its ends; of an open one, up to the horizon."""
    before_ns = stretch.before.ts_ns
    if stretch.after is None:
        return relation.period_ns, slots_due(relation, before_ns, horizon_ns)
    # Pollers drift: the slots are spread evenly between the answers on either side.
    return (stretch.after.ts_ns - before_ns) // stretch.slots, stretch.slots - 1


def slots_due(relation: Relation, before_ns: int, horizon_ns: int) -> int:
    """Slots after a good answer whose time was up at the horizon: half a period's grace, then the deadline."""
    up_ns = horizon_ns - relation.deadline_ns - relation.period_ns // 2 - before_ns
    return min(max(up_ns // relation.period_ns, 0), _MOST_SLOTS)


def _by_slot(bad: Sequence[Bad], before_ns: int, step_ns: int, first: int, last: int) -> dict[int, Bad]:
    found: dict[int, Bad] = {}
    for one in bad:
        number = slots_between(before_ns, one.ts_ns, step_ns)
        if not first <= number <= last:
            continue  # another try in a slot that was good
        if number not in found or _rank(one) < _rank(found[number]):
            found[number] = one
    return found


def _rank(one: Bad) -> int:
    return _FARTHEST.index(_FATES[one.how])


def rule_of_missed(
    relation: Relation, stretch: Stretch, asked_in_vain: bool, surroundings: Surroundings
) -> Fate | None:
    """What a slot is without a request; None: missed where the client said nothing to the server, else unknown."""
    before, after = stretch.before, stretch.after
    tried = surroundings.around.attempts + surroundings.around.idle_openings > 0
    end = surroundings.seen.end_of(before.flow_id)
    if end is not None and end.closed_by_client and not tried and not asked_in_vain:
        return Fate.STOPPED
    if after is not None and after.flow_id == before.flow_id and surroundings.seen.has_gap(before.flow_id):
        # The stream went on unseen: the client did ask, the capture was blind.
        return Fate.UNKNOWN
    if relation.declared:
        return Fate.MISSED
    to_ns = surroundings.horizon_ns if after is None else after.ts_ns
    failing = tried or asked_in_vain or surroundings.others_fail(before.ts_ns, to_ns)
    if not failing and (stretch.streak < STEADY or not surroundings.resumed):
        return Fate.UNKNOWN
    return None


def _blind(
    seen: Seen, before_ns: int, step_ns: int, known: SlotsBefore, count: int, came: dict[int, Bad]
) -> set[int]:
    """Slots without a request next to others in a minute in which a sensor's interface showed nothing.

    A sensor does not fall silent at a full minute: all slots in a row with one that it certainly missed are unknown.
    """
    blind: set[int] = set()
    if not seen.silent and not known.blind:
        return blind
    run: list[int] = []
    touched = known.blind
    for number in range(known.count + 1, count + 2):
        if number <= count and number not in came:
            run.append(number)
            touched |= (before_ns + number * step_ns) // MINUTE_NS * MINUTE_NS in seen.silent
            continue
        if touched:
            blind.update(run)
        run, touched = [], False
    return blind
