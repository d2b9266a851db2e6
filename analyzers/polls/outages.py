"""Slots of one relation in; its outages and the times in which it flaps out.

An outage is three bad slots in a row or more. It begins with the first bad one and ends with the first good one; slots
that are not judged neither break nor lengthen it.

Flapping is at least six changes between good and bad within 21 slots: three bad runs. The rule is that of Nagios and
Naemon ("Detection and Handling of State Flapping": of the last 21 checks, 30 % of the 20 possible changes), unweighted;
there a check is what a slot is here. Outages within it are told by it, not one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analyzers.polls.facts import Around
from analyzers.polls.relation import Good, Relation, Stretch
from analyzers.polls.slots import BAD, Fate, Slot

#: Bad slots in a row that are an outage.
IN_A_ROW: Final = 3
#: Slots looked at, and bad runs within them that are flapping.
FLAP_SLOTS: Final = 21
FLAP_RUNS: Final = 3
#: Frames kept of a run as evidence.
_FRAMES: Final = 8


@dataclass(frozen=True, slots=True)
class Run:
    """Bad slots in a row of one relation, with nothing good between them."""

    relation: Relation
    #: The last good answer before it; None where there was none in the capture.
    before: Good | None
    #: The first good one after it; None where none came, or where a planned stop cut it short.
    after: Good | None
    start_ns: int
    #: When the last bad slot was due.
    last_bad_ns: int
    fates: Counter[Fate]
    #: Slots among them that were not judged.
    unknown: int
    #: The first bad slots that have a frame.
    asked: tuple[Slot, ...]
    around: Around
    #: What it is known by for good, however much is learned of it later: the last good answer before it.
    key_ns: int

    @property
    def bad(self) -> int:
        """Bad slots."""
        return self.fates.total()

    @property
    def end_ns(self) -> int | None:
        """The first good answer after it; None while it goes on."""
        return None if self.after is None else self.after.ts_ns

    @property
    def until_ns(self) -> int:
        """Its end, or the last that is known of it."""
        return self.last_bad_ns if self.after is None else self.after.ts_ns

    @property
    def only_missed(self) -> bool:
        """No request came at all, and the client tried no connection."""
        tried = self.around.attempts + self.around.idle_openings
        return self.bad == self.fates[Fate.MISSED] and not tried


@dataclass(frozen=True, slots=True)
class Flapping:
    """A stretch of time in which one relation changed between good and bad again and again."""

    relation: Relation
    runs: tuple[Run, ...]

    @property
    def start_ns(self) -> int:
        """The first bad slot."""
        return self.runs[0].start_ns

    @property
    def until_ns(self) -> int:
        """The end of the last bad run."""
        return self.runs[-1].until_ns


def runs_of(relation: Relation, stretch: Stretch, slots: Iterable[Slot], around: Around) -> Iterator[Run]:
    """The bad runs of one stretch: one, unless a planned stop or an orderly end cuts it."""
    first: int | None = None
    last = unknown = between = number = 0
    fates: Counter[Fate] = Counter()
    asked: list[Slot] = []

    def run(after: Good | None) -> Run:
        return Run(
            relation=relation,
            before=stretch.before if stretch.before.frame else None,
            after=after,
            start_ns=first or 0,
            last_bad_ns=last,
            fates=Counter(fates),
            unknown=unknown,
            asked=tuple(asked),
            around=around,
            # A second run of one stretch, behind a planned stop, has a key of its own.
            key_ns=(first or 0) if number else stretch.before.ts_ns,
        )

    for slot in slots:
        if slot.fate in BAD:
            first = slot.at_ns if first is None else first
            last = slot.at_ns
            unknown, between = unknown + between, 0
            fates[slot.fate] += 1
            if slot.frame and len(asked) < _FRAMES:
                asked.append(slot)
        elif slot.fate is Fate.UNKNOWN:
            between += first is not None
        elif first is not None:
            yield run(None)
            first, unknown, between, number = None, 0, 0, number + 1
            fates, asked = Counter(), []
    if first is not None:
        yield run(stretch.after)


def flapping_of(runs: Sequence[Run]) -> list[Flapping]:
    """The times in which one relation flaps: `runs` are all its bad runs, by time.

    Runs in which nobody asked are left out: they show a client's pace, not what answers it. So are answers that came
    late: slow is not gone, and a budget tells of it.
    """
    told = [run for run in runs if not run.only_missed and run.bad > run.fates[Fate.LATE]]
    groups: list[list[Run]] = []
    for first, last in zip(told, told[FLAP_RUNS - 1 :], strict=False):
        period_ns = first.relation.period_ns
        # From the good slot before the first run to the one after the last.
        if last.until_ns - first.start_ns + 2 * period_ns > FLAP_SLOTS * period_ns:
            continue
        within = [run for run in told if first.start_ns <= run.start_ns <= last.start_ns]
        if groups and within[0].start_ns <= groups[-1][-1].start_ns:
            groups[-1] += [run for run in within if run.start_ns > groups[-1][-1].start_ns]
        else:
            groups.append(within)
    return [Flapping(group[0].relation, tuple(group)) for group in groups]
