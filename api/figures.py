"""A zone's or conduit's figures over a window: one computation for the API, the overview and the zone page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from analyzers.attribution import because
from analyzers.budget import Budget as ExactBudget
from analyzers.budget import Slots, exact
from analyzers.sla import VALID_SHARE, Held, Status, Verdict, judge
from api.sites import KnownSite
from api.window import Window
from policy.sla_classes import SlaTarget
from store.answers import ScopeSummary, SlaPoint
from store.client import Store
from store.queries import sla

#: The budget's period, as the classes of sla.md state it.
BUDGET_PERIOD: Final = timedelta(days=30)
#: From worst to best: the order of tiles.
WORST_FIRST: Final = (Status.BREACHED, Status.AT_RISK, Status.NO_DATA, Status.MET)


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """A zone or conduit, its target, and how it did."""

    id: str
    name: str
    target: SlaTarget
    verdict: Verdict
    summary: ScopeSummary
    #: whose each problem is, and what could not be measured, in words
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """The availability budget of 30 days, and what the measured minutes took of it."""

    total_minutes: float
    lost_minutes: float
    measured_minutes: int

    @property
    def left_minutes(self) -> float:
        """What is left; never below zero."""
        return max(0.0, self.total_minutes - self.lost_minutes)

    @property
    def left(self) -> float:
        """The share that is left, 0 to 1."""
        return self.left_minutes / self.total_minutes if self.total_minutes else 0.0

    @property
    def runs_out_in(self) -> timedelta | None:
        """How long what is left lasts at the rate measured; None where nothing was lost."""
        if not self.lost_minutes or not self.measured_minutes:
            return None
        return timedelta(minutes=self.left_minutes / (self.lost_minutes / self.measured_minutes))


def zone_figures(
    store: Store, site: KnownSite, zone_id: str, window: Window, replay: str = ""
) -> ScopeFigures:
    """One zone over the window; with `replay`, of that capture only."""
    summary = sla.zone_summary(store, zone_id, window.start, window.end, site=site.site.id, replay=replay)
    return _judged(zone_id, site.zone_name(zone_id), site.zone_target(zone_id), summary, window)


def conduit_figures(
    store: Store, site: KnownSite, conduit_id: str, window: Window, replay: str = ""
) -> ScopeFigures:
    """One conduit over the window; with `replay`, of that capture only."""
    summary = sla.conduit_summary(
        store, conduit_id, window.start, window.end, site=site.site.id, replay=replay
    )
    conduit = site.conduit(conduit_id)
    sides = (site.zone_name(conduit.from_zone), site.zone_name(conduit.to_zone)) if conduit else ()
    name = " → ".join(sides) or conduit_id
    return _judged(conduit_id, name, site.conduit_target(conduit_id), summary, window, *sides)


def all_zones(store: Store, site: KnownSite, window: Window, replay: str = "") -> list[ScopeFigures]:
    """Every declared zone, worst first."""
    found = sla.zone_summaries(store, window.start, window.end, site=site.site.id, replay=replay)
    # what the captures hold is the same for every scope
    held = max((summary.minutes_held for summary in found.values()), default=0)
    zones = []
    for zone in site.site.zones:
        summary = found.get(zone.id) or replace(unseen(zone.id, window), minutes_held=held)
        zones.append(_judged(zone.id, zone.label, site.zone_target(zone.id), summary, window))
    return sorted(zones, key=lambda zone: WORST_FIRST.index(zone.verdict.status))


def budget(figures: ScopeFigures) -> Budget | None:
    """The availability budget; None where availability was not measured.

    Time is lost in proportion to the requests that went wrong in the minutes that could be judged.
    """
    availability, target = figures.summary.total.availability, figures.target.availability
    if availability is None or figures.verdict.status is Status.NO_DATA or target >= 1:
        return None
    total, minutes = figures.summary.total, figures.summary.minutes_valid
    due = total.transactions + total.missed
    # The report's own arithmetic: a page and a report of the same minutes say the same.
    exactly = ExactBudget(
        exact(target), Slots(due, due - total.good), int(BUDGET_PERIOD.total_seconds()) // 60, minutes
    )
    return Budget(float(exactly.allowed_minutes), float(exactly.spent_minutes), minutes)


def is_measured(point: SlaPoint) -> bool:
    """Whether a step may be judged: something was seen, and enough of what was there."""
    return (
        bool(point.packets) and point.valid and point.coverage is not None and point.coverage >= VALID_SHARE
    )


def complete(points: Iterable[SlaPoint], window: Window) -> list[SlaPoint]:
    """One point a step of the window: those that the store has, and honest blanks between them."""
    known = {point.start: point for point in points}
    return [known.get(start) or blank(start, window.step_s) for start in window.starts()]


def unseen(scope: str, window: Window) -> ScopeSummary:
    """A scope of which nothing was seen."""
    return ScopeSummary(scope, blank(window.start, int(window.span.total_seconds())), 0, 0, "", None, None)


def blank(start: datetime, step_s: int) -> SlaPoint:
    """A step in which nothing was seen."""
    return SlaPoint(start, step_s, 0, None, None, None, None, 0, None, None, None, 0, 0, 0, 0, valid=False)


def point_status(point: SlaPoint, target: SlaTarget) -> Status:
    """One step held against a target, as `judge` holds a range."""
    if not is_measured(point):
        return Status.NO_DATA
    return judge(target, point, 1, 1, samples=_samples(point), why_not=point.causes.why_not).status


def series(points: Sequence[SlaPoint], field: str) -> list[int | float | None]:
    """One figure of every step; None where the step may not be judged."""
    return [getattr(point, field) if is_measured(point) else None for point in points]


def _judged(
    scope: str, name: str, target: SlaTarget, summary: ScopeSummary, window: Window, *sides: str
) -> ScopeFigures:
    total = summary.total
    verdict = judge(
        target,
        total,
        summary.minutes_seen,
        summary.minutes_valid,
        minutes_excluded=summary.minutes_excluded,
        samples=_samples(total),
        why_not=total.causes.why_not,
        held=Held(summary.minutes_held, int(window.span.total_seconds()) // 60),
    )
    invalid = summary.minutes_seen - summary.minutes_valid
    causes = replace(
        total.causes,
        minutes_invalid=invalid,
        minutes_excluded=summary.minutes_excluded,
        # Over the whole range: what was lost is not kept by minute and scope.
        capture_loss=1 - total.coverage if invalid and total.coverage is not None else None,
    )
    return ScopeFigures(scope, name, target, verdict, summary, because(target, causes, *sides))


def _samples(point: SlaPoint) -> int:
    """Requests that the budgets rest on: made, or due and never made."""
    return point.transactions + point.missed
