"""One scope's minutes as they come in; the times in which its budget burns fast out.

What `analyzers.burn` says of all minutes at once, of minutes that come one after the other: a minute is judged when it
comes, and again only where slots of the windows that end with it changed. Of minutes that are forgotten the stretches
in which a rule spoke are left, so that a budget that burns for days is one stretch of days.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from analyzers.burn import RULES, BurnAlert, MinuteSlots, SlidingSlots, spoken, stretches

#: The rules that somebody is called for; tickets are for reports.
PAGES: Final = tuple(rule for rule in RULES if rule.kind == "page")
#: Minutes that one of them looks back over.
LONGEST: Final = max(rule.long for rule in PAGES)
_LONG: Final = {rule.name: rule.long for rule in PAGES}


@dataclass(frozen=True, slots=True)
class Burning:
    """A time in which at least one of the rules speaks; minutes since the epoch, both ends included."""

    first: int
    last: int
    #: The highest burn rate, and the window that it is of, in minutes.
    peak: Fraction
    window: int

    @property
    def since(self) -> int:
        """First minute of the window that it was judged over."""
        return self.first - self.window + 1


class Pages:
    """The slots of one scope; grows with the minutes that are remembered, and with what burnt in the others."""

    def __init__(self, target: Fraction) -> None:
        """`target`: the share of slots that is to be good."""
        self._target = target
        self._rows: list[MinuteSlots] = []
        #: By rule: the burn rate at each minute at whose end it speaks, and the stretches before these.
        self._spoke: dict[str, dict[int, Fraction]] = {rule.name: {} for rule in PAGES}
        self._past: dict[str, list[BurnAlert]] = {rule.name: [] for rule in PAGES}
        #: Minutes before this are not judged any more: their windows are no longer whole.
        self._settled: int | None = None
        #: What was said of them last.
        self._burning: list[Burning] | None = []

    def put(self, first: int, rows: Sequence[MinuteSlots]) -> None:
        """Take rows in order of their minutes, in the place of all there are from the minute `first` on."""
        self._rows[self._place(first) :] = rows
        first = first if self._settled is None else max(first, self._settled)
        sums: SlidingSlots | None = None
        for rule in PAGES:
            spoke = {minute: rate for minute, rate in self._spoke[rule.name].items() if minute < first}
            recent = self._rows[self._place(first - rule.short + 1) :]
            bad = [row.minute for row in recent if row.slots.bad]
            if bad:
                sums = sums or SlidingSlots(self._rows)
                spoke |= dict(spoken(rule, sums, bad, self._target, first))
            self._spoke[rule.name] = spoke
        self._burning = None

    def forget(self, before: int, over: int) -> None:
        """Forget slots of the minutes before `before`, and what was burning and ended before the minute `over`."""
        if place := self._place(before):
            del self._rows[:place]
            self._settled = before + LONGEST - 1
        for rule in PAGES:
            spoke, past = self._spoke[rule.name], self._past[rule.name]
            if not spoke or min(spoke) >= before:
                continue
            gone = stretches(rule, ((minute, rate) for minute, rate in spoke.items() if minute < before))
            self._past[rule.name] = _joined([*past, *gone])
            self._spoke[rule.name] = {minute: rate for minute, rate in spoke.items() if minute >= before}
        if all(one.last_minute >= over for past in self._past.values() for one in past):
            return
        for group in _groups(self._alerts()):
            if max(alert.last_minute for alert in group) < over:
                self._burning = None
                for alert in group:
                    self._past[alert.rule] = [one for one in self._past[alert.rule] if one != alert]

    def burning(self) -> list[Burning]:
        """When it burns, by time: rules that speak at once, or one after the other, are one."""
        if self._burning is None:
            self._burning = [_burning(group) for group in _groups(self._alerts())]
        return self._burning

    def _alerts(self) -> list[BurnAlert]:
        found = [
            alert
            for rule in PAGES
            for alert in _joined(
                [*self._past[rule.name], *stretches(rule, sorted(self._spoke[rule.name].items()))]
            )
        ]
        return sorted(found, key=lambda alert: (alert.first_minute, alert.kind, alert.rule))

    def _place(self, minute: int) -> int:
        return bisect_left(self._rows, minute, key=lambda row: row.minute)


def _joined(alerts: Sequence[BurnAlert]) -> list[BurnAlert]:
    """Stretches of one rule in order; those that go on without a pause are one."""
    found: list[BurnAlert] = []
    for alert in alerts:
        if found and found[-1].last_minute + 1 >= alert.first_minute:
            peak = max(found[-1].peak, alert.peak)
            found[-1] = replace(found[-1], last_minute=alert.last_minute, peak=peak)
        else:
            found.append(alert)
    return found


def _groups(alerts: Sequence[BurnAlert]) -> Iterator[list[BurnAlert]]:
    """Alerts by time; together those that overlap or follow one another."""
    group: list[BurnAlert] = []
    last = 0
    for alert in alerts:
        if group and alert.first_minute > last + 1:
            yield group
            group = []
        last = max(last, alert.last_minute) if group else alert.last_minute
        group.append(alert)
    if group:
        yield group


def _burning(group: Sequence[BurnAlert]) -> Burning:
    fastest = max(group, key=lambda alert: alert.peak)
    return Burning(
        min(alert.first_minute for alert in group),
        max(alert.last_minute for alert in group),
        fastest.peak,
        _LONG[fastest.rule],
    )
