"""Slots and segments of conduits and zones as they come in; the times in which one is over its target out.

A conduit speaks for its zones: of a zone only those times are told in which no conduit that touches it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from analyzers.budget import WITHIN_TARGET, exact
from analyzers.burning import Burning, Pages
from analyzers.loss_hours import LossHours, LossyHour
from analyzers.scope_sums import Course, courses
from analyzers.sla_kinds import BURNING, LOSSY, SlaKind
from policy.sla_classes import SlaTarget
from policy.zoning import CompiledSite

AVAILABILITY: Final = "availability"
TRANSACTION_TIME: Final = "transaction time"
LOSS: Final = "loss"
_NOTHING: Final = Course({}, {})


@dataclass(frozen=True, slots=True)
class Scope:
    """A conduit or a zone, what it is held to, and which rows are of it."""

    kind: str
    id: str
    name: str
    target: SlaTarget
    here: pl.Expr
    zones: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """One stretch of a scope in which something is over its target; minutes since the epoch, both ends included."""

    kind: SlaKind
    scope: Scope
    objective: str
    first: int
    last: int
    #: First minute of the window that it was judged over.
    since: int
    figure: str

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What it is known by, however long it goes on."""
        return self.kind.id, self.scope.kind, self.scope.id, self.objective, self.first


class Courses:
    """What is known of every conduit and zone, minute by minute."""

    def __init__(self, site: CompiledSite) -> None:
        self._courses = [_OfScope(scope) for scope in _scopes(site)]
        self._limits_ns = sorted({course.scope.target.transaction_p99_ns for course in self._courses})

    def put(self, first: int, rows: pl.DataFrame, of_polls: pl.DataFrame) -> None:
        """Rows of conversations' minutes in, in the place of all there are from the minute `first` on.

        Columns: `at` (minutes since the epoch), those of SLA_MINUTES, `bad`. `of_polls`: those that spend a budget.
        """
        found = courses(rows, of_polls, self._limits_ns)
        for course in self._courses:
            key = course.scope.kind, course.scope.id
            course.put(first, found.get(key, _NOTHING))

    def forget(self, newest: int, before: int) -> None:
        """Forget minutes before `before`, and what is over; `newest` is the last minute that came."""
        going_on = [one for course in self._courses for one in course.told() if one.last >= before]
        over = min([before, *(one.since for one in going_on)])
        for course in self._courses:
            course.forget(newest, before, over)

    def told(self) -> list[Told]:
        """The times in which a scope is over its target; conduits first, each scope's by objective and time."""
        found: list[Told] = []
        for course in self._courses:
            is_zone = course.scope.kind == "zone"
            found += [one for one in course.told() if not (is_zone and _is_told(one, found))]
        return found


class _OfScope:
    """One scope's budgets and losses."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._targets = {AVAILABILITY: exact(scope.target.availability), TRANSACTION_TIME: WITHIN_TARGET}
        self._pages = {objective: Pages(target) for objective, target in self._targets.items()}
        self._losses = LossHours(scope.target.loss)

    def put(self, first: int, course: Course) -> None:
        self._pages[AVAILABILITY].put(first, course.availability())
        self._pages[TRANSACTION_TIME].put(first, course.times(self.scope.target.transaction_p99_ns))
        self._losses.put(first, course.sent())

    def forget(self, newest: int, before: int, over: int) -> None:
        for pages in self._pages.values():
            pages.forget(before, over)
        self._losses.settle(newest, over)

    def told(self) -> Iterator[Told]:
        for objective, pages in self._pages.items():
            for one in pages.burning():
                yield self._burning(objective, one)
        for hour in self._losses.hours():
            yield self._lossy(hour)

    def _burning(self, objective: str, one: Burning) -> Told:
        target = self._targets[objective]
        figure = (
            f"{float(one.peak):.1f} times as fast as the budget of {float(target):.4%} allows, over "
            f"{one.window // 60} h"
        )
        return Told(BURNING, self.scope, objective, one.first, one.last, one.since, figure)

    def _lossy(self, hour: LossyHour) -> Told:
        share = hour.lost / hour.sent if hour.sent else 1.0
        figure = (
            f"{hour.lost:,} of {hour.sent:,} data segments lost ({share:.2%}), target "
            f"{self.scope.target.loss:.2%}"
        )
        return Told(LOSSY, self.scope, LOSS, hour.first, hour.last, hour.first, figure)


def _scopes(site: CompiledSite) -> Iterator[Scope]:
    """Conduits first: they speak for their zones."""
    for conduit in site.site.conduits:
        here = pl.col("conduit") == conduit.id
        zones = frozenset((conduit.from_zone, conduit.to_zone))
        yield Scope("conduit", conduit.id, conduit.id, site.conduit_targets[conduit.id], here, zones)
    for zone in site.site.zones:
        here = (pl.col("from_zone") == zone.id) | (pl.col("to_zone") == zone.id)
        yield Scope("zone", zone.id, zone.label, site.zone_targets[zone.id], here, frozenset((zone.id,)))


def _is_told(one: Told, found: Sequence[Told]) -> bool:
    return any(
        other.kind is one.kind
        and other.scope.kind == "conduit"
        and one.scope.zones <= other.scope.zones
        and other.since <= one.last
        and one.since <= other.last
        for other in found
    )
