"""Slots of one relation in; its outages and the times in which it flaps out.

An outage is three bad slots in a row or more. It begins with the first bad one and ends with the first good one; slots
that are not judged neither break nor lengthen it.

Flapping is at least six changes between good and bad within 21 slots: three bad runs. The rule is that of Nagios and
Naemon ("Detection and Handling of State Flapping": of the last 21 checks, 30 % of the 20 possible changes), unweighted;
there a check is what a slot is here. Outages within it are told by it, not one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass(slots=True)
class Bads:
    """Slots of one stretch in, in order; its bad runs out: one, unless a planned stop or an orderly end cuts it."""

    _first: int | None = None
    _last: int = 0
    _unknown: int = 0
    _between: int = 0
    _fates: Counter[Fate] = field(default_factory=Counter)
    _asked: list[Slot] = field(default_factory=list)
    _over: list[_Cut] = field(default_factory=list)

    def copy(self) -> Bads:
        """The same, to go on with by itself."""
        return replace(self, _fates=Counter(self._fates), _asked=list(self._asked), _over=list(self._over))

    def take(self, slot: Slot) -> None:
        """The next slot."""
        if slot.fate in BAD:
            self._first = slot.at_ns if self._first is None else self._first
            self._last = slot.at_ns
            self._unknown, self._between = self._unknown + self._between, 0
            self._fates[slot.fate] += 1
            if slot.frame and len(self._asked) < _FRAMES:
                self._asked.append(slot)
        elif slot.fate is Fate.UNKNOWN:
            self._between += self._first is not None
        elif self._first is not None:
            self._over.append(self._cut(self._first))
            self._first, self._unknown, self._between = None, 0, 0
            self._fates, self._asked = Counter(), []

    def runs(self, relation: Relation, stretch: Stretch, around: Around) -> Iterator[Run]:
        """What they come to, up to the last slot taken."""
        pieces: list[tuple[_Cut, Good | None]] = [(one, None) for one in self._over]
        if self._first is not None:
            pieces.append((self._cut(self._first), stretch.after))
        for number, (one, after) in enumerate(pieces):
            yield Run(
                relation=relation,
                before=stretch.before if stretch.before.frame else None,
                after=after,
                start_ns=one.first,
                last_bad_ns=one.last,
                fates=one.fates,
                unknown=one.unknown,
                asked=one.asked,
                around=around,
                # A second run of one stretch, behind a planned stop, has a key of its own.
                key_ns=one.first if number else stretch.before.ts_ns,
            )

    def _cut(self, first: int) -> _Cut:
        return _Cut(first, self._last, Counter(self._fates), self._unknown, tuple(self._asked))


@dataclass(frozen=True, slots=True)
class _Cut:
    first: int
    last: int
    fates: Counter[Fate]
    unknown: int
    asked: tuple[Slot, ...]


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
