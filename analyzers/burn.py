"""Who is to be told that a budget burns: slots minute by minute in; stretches of time with an alert out.

Two windows a rule: the long one says that it matters, the short one that it goes on (Beyer et al., "The Site
Reliability Workbook", O'Reilly 2018, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"). Few slots say nothing: a poll
every 10 s at 99.99 % would wake somebody for one miss.

A C1 scope is told of at once, when three slots of one conversation in a row were bad. Minutes hold counts, not their
order: `least_run` is what the counts alone prove, so such an alert may be missing, and is never wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from analyzers.budget import Slots, burn_rate

#: Fewer than this in the long window, and no rule speaks.
LEAST_BAD: Final = 3
LEAST_VALID: Final = 100
#: Share of the long window's minutes with traffic that must be fit to be judged.
LEAST_COVERAGE: Final = Fraction(95, 100)
#: Bad slots in a row that are told at once, in a C1 scope.
IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Speaks while the burn rate is above `factor` in both windows, which are in minutes."""

    name: str
    kind: Literal["page", "ticket"]
    factor: Fraction
    long: int
    short: int


RULES: Final = (
    BurnRule("burn-1h", "page", Fraction(144, 10), 60, 5),
    BurnRule("burn-6h", "page", Fraction(6), 6 * 60, 30),
    BurnRule("burn-3d", "ticket", Fraction(1), 3 * 24 * 60, 6 * 60),
)
_Numbers = npt.NDArray[np.int64]

#: The name of the alert that three bad slots in a row raise.
AT_ONCE: Final = "in-a-row"


@dataclass(frozen=True, slots=True)
class MinuteSlots:
    """One minute with traffic. Minutes count from the epoch; an invalid one has no slots."""

    minute: int
    slots: Slots
    valid: bool = True
    #: bad slots in a row of one conversation that the counts prove
    run: int = 0

    def __post_init__(self) -> None:
        if not self.valid and self.slots != Slots():
            raise ValueError("a minute that may not be judged has no slots")


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """One stretch of time in which a rule spoke: from the first to the last minute at whose end it did."""

    rule: str
    kind: Literal["page", "ticket"]
    first_minute: int
    last_minute: int
    peak: Fraction  #: highest burn rate of the long window; of `in-a-row`, the longest run proven


def least_run(valid: int, bad: int) -> int:
    """How many bad slots in a row there are at least: the good ones cannot keep more apart than they are."""
    return -(-bad // (valid - bad + 1))


class SlidingSlots:
    """Sums over any stretch of minutes, of rows in order of their minutes, each once."""

    def __init__(self, rows: Sequence[MinuteSlots]) -> None:
        self._minutes = [row.minute for row in rows]
        if any(later <= earlier for earlier, later in zip(self._minutes, self._minutes[1:], strict=False)):
            raise ValueError("minutes come in order, each once")
        self._valid = _sums(rows, lambda row: row.slots.valid)
        self._bad = _sums(rows, lambda row: row.slots.bad)
        self._fit = _sums(rows, lambda row: int(row.valid))
        self._arrays = tuple(
            np.array(each, dtype=np.int64) for each in (self._minutes, self._valid, self._bad)
        )

    def slots(self, after: int, to: int) -> Slots:
        """Of the minutes above `after`, up to and with `to`."""
        first, end = self._places(after, to)
        return Slots(self._valid[end] - self._valid[first], self._bad[end] - self._bad[first])

    def coverage(self, after: int, to: int) -> Fraction | None:
        """Share of the minutes with traffic that may be judged; None without traffic."""
        first, end = self._places(after, to)
        return Fraction(self._fit[end] - self._fit[first], end - first) if end > first else None

    def counts(self, after: _Numbers, to: _Numbers) -> tuple[_Numbers, _Numbers]:
        """Valid and bad slots of many stretches at once: of each the minutes above `after`, up to and with `to`."""
        minutes, valid, bad = self._arrays
        first, end = (minutes.searchsorted(edge, side="right") for edge in (after, to))
        return valid[end] - valid[first], bad[end] - bad[first]

    def _places(self, after: int, to: int) -> tuple[int, int]:
        return bisect_left(self._minutes, after + 1), bisect_left(self._minutes, to + 1)


def speaks(rule: BurnRule, sums: SlidingSlots, at: int, target: Fraction) -> Fraction | None:
    """The long window's burn rate at the end of minute `at` where the rule speaks, else None."""
    limit = rule.factor * (1 - target)
    short = sums.slots(at - rule.short, at)
    if not _above(short, limit):
        return None
    long = sums.slots(at - rule.long, at)
    if long.bad < LEAST_BAD or long.valid < LEAST_VALID or not _above(long, limit):
        return None
    coverage = sums.coverage(at - rule.long, at)
    return burn_rate(long, target) if coverage is not None and coverage >= LEAST_COVERAGE else None


def _likely(rule: BurnRule, sums: SlidingSlots, minutes: _Numbers, target: Fraction) -> list[int]:
    """The minutes that are worth `speaks`: all at which the rule does, and hardly another. One by one takes seconds."""
    limit = float(rule.factor * (1 - target)) * (1 - 1e-9)
    for window in (rule.short, rule.long):
        valid, bad = sums.counts(minutes - window, minutes)
        minutes = minutes[bad > limit * valid]
    return [int(minute) for minute in minutes]


def _above(slots: Slots, limit: Fraction) -> bool:
    """Whether a larger share than `limit` is bad; in whole numbers, which are a hundred times as quick as fractions."""
    return slots.bad * limit.denominator > limit.numerator * slots.valid


def spoken(
    rule: BurnRule, sums: SlidingSlots, bad: Sequence[int], target: Fraction, since: int | None = None
) -> Iterator[tuple[int, Fraction]]:
    """Every minute at whose end the rule speaks, from `since` on, and the long window's burn rate.

    `bad`: the minutes with bad slots.
    """
    # Without a bad slot in the short window no rule speaks: only the minutes behind a bad one are looked at.
    behind = np.fromiter(_behind(bad, rule.short), dtype=np.int64)
    if since is not None:
        behind = behind[behind >= since]
    looked = ((minute, speaks(rule, sums, minute, target)) for minute in _likely(rule, sums, behind, target))
    return ((minute, rate) for minute, rate in looked if rate is not None)


def stretches(rule: BurnRule, spoke: Iterable[tuple[int, Fraction]]) -> Iterator[BurnAlert]:
    """Minutes at which the rule speaks, in order, in; one alert for each stretch without a pause out."""
    return _stretches(rule.name, rule.kind, spoke)


def burn_alerts(rows: Iterable[MinuteSlots], target: Fraction, *, at_once: bool) -> list[BurnAlert]:
    """Every alert of one scope's minutes, by time. `at_once`: three bad in a row are told (C1).

    `target` is the share of slots that is to be good. Rows may come in any order, each minute once.
    """
    ordered = sorted(rows, key=lambda row: row.minute)
    sums = SlidingSlots(ordered)
    bad = [row.minute for row in ordered if row.slots.bad]
    found: list[BurnAlert] = []
    for rule in RULES:
        found += stretches(rule, spoken(rule, sums, bad, target))
    if at_once:
        runs = ((row.minute, Fraction(row.run)) for row in ordered if row.valid and row.run >= IN_A_ROW)
        found += _stretches(AT_ONCE, "page", runs)
    return sorted(found, key=lambda alert: (alert.first_minute, alert.kind, alert.rule))


def worst_burn(rows: Iterable[MinuteSlots], target: Fraction, window: int) -> Fraction | None:
    """The highest burn rate of any `window` minutes that end with a minute of traffic; None without slots."""
    ordered = sorted(rows, key=lambda row: row.minute)
    bad = valid = first = 0
    worst = Slots()
    for row in ordered:
        bad, valid = bad + row.slots.bad, valid + row.slots.valid
        while ordered[first].minute <= row.minute - window:
            bad, valid = bad - ordered[first].slots.bad, valid - ordered[first].slots.valid
            first += 1
        if valid and bad * worst.valid >= worst.bad * valid:
            worst = Slots(valid, bad)
    return burn_rate(worst, target)


def _behind(minutes: Sequence[int], length: int) -> Iterator[int]:
    """Each minute, and those up to `length` - 1 behind it, in order, each once."""
    done = None
    for minute in minutes:
        first = minute if done is None else max(minute, done + 1)
        yield from range(first, minute + length)
        done = minute + length - 1


def _stretches(
    rule: str, kind: Literal["page", "ticket"], spoke: Iterable[tuple[int, Fraction]]
) -> Iterator[BurnAlert]:
    """Minutes in order in; one alert for each stretch without a pause out."""
    first = last = None
    peak = Fraction(0)
    for minute, rate in spoke:
        if last is not None and first is not None and minute != last + 1:
            yield BurnAlert(rule, kind, first, last, peak)
            first = None
        if first is None:
            first, peak = minute, rate
        last, peak = minute, max(peak, rate)
    if first is not None and last is not None:
        yield BurnAlert(rule, kind, first, last, peak)


def _sums(rows: Sequence[MinuteSlots], value: Callable[[MinuteSlots], int]) -> list[int]:
    return [0, *accumulate(value(row) for row in rows)]
