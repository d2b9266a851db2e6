"""The time range of a request: from its parameters, or from the stored data, never from a clock.

Captures are replayed long after they were taken. "The last 24 hours" therefore end where the data ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from api.problems import FieldProblem, Problem

RANGES: Final = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
#: Steps that a person reads well, in seconds; never finer than the minute that is measured.
STEPS_S: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
#: As many steps as a chart shows well.
POINTS_WANTED: Final = 300
#: As many steps as one answer may have.
POINTS_LIMIT: Final = 10_000
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Half open, [start, end), both on a multiple of the step since the epoch."""

    start: datetime
    end: datetime
    step_s: int
    chosen: str  #: a name of RANGES, `all`, `usual` (nothing was asked for) or `custom`

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return int(self.span.total_seconds()) // self.step_s

    def starts(self) -> list[datetime]:
        """Where each step starts."""
        return [self.start + timedelta(seconds=self.step_s * index) for index in range(self.steps)]

    def with_step(self, step_s: int) -> Window:
        """The same time in other steps, widened to whole ones."""
        return Window(floor(self.start, step_s), ceiling(self.end, step_s), step_s, self.chosen)


def floor(moment: datetime, step_s: int) -> datetime:
    """The last multiple of the step since the epoch that is not after the moment."""
    return _EPOCH + (moment - _EPOCH) // timedelta(seconds=step_s) * timedelta(seconds=step_s)


def ceiling(moment: datetime, step_s: int) -> datetime:
    """The first multiple of the step since the epoch that is not before the moment."""
    down = floor(moment, step_s)
    return down if down == moment else down + timedelta(seconds=step_s)


def fitting_step(span: timedelta, wanted: int = POINTS_WANTED) -> int:
    """The finest step that does not cut the span into more than the wanted number."""
    seconds = span.total_seconds()
    return next((step for step in STEPS_S if seconds / step <= wanted), STEPS_S[-1])


def choose(
    data: tuple[datetime, datetime] | None,
    range_name: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    step_s: int | None = None,
    usual: tuple[datetime, datetime] | None = None,
) -> Window:
    """The window asked for.

    `data` is the first and last stored packet (None: nothing is stored). Without any wish: the last 24 hours at
    most of what is `usual`, which is all of the data where it is left out. Explicit times win over a name.
    Raises `Problem` (422) where the wish makes no sense.
    """
    if range_name and (start or end):
        raise _refused("range", "a range beside from or to", "give either range, or from and to")
    first, last = _span(data)
    chosen = "custom" if start or end else range_name
    if chosen in RANGES:
        start, end = last - RANGES[chosen], last
    elif not chosen:
        from_, to = _span(usual or data)
        start, end = max(from_, to - RANGES["24h"]), to
        chosen = "all" if (start, end) == (first, last) else "usual"
        if end == last and start > from_:
            chosen = "24h"
    start, end = start or first, end or last
    if start >= end:
        raise _refused("from", "not before `to`", f"the stored data is from {first:%FT%TZ} to {last:%FT%TZ}")
    step = step_s or fitting_step(end - start)
    window = Window(floor(start, step), ceiling(end, step), step, chosen)
    if window.steps > POINTS_LIMIT:
        raise _refused(
            "step",
            f"{window.steps} steps are too many",
            f"use a step of at least {fitting_step(end - start)} s",
        )
    return window


def _span(data: tuple[datetime, datetime] | None) -> tuple[datetime, datetime]:
    """From the first stored minute to the end of the last one; one empty hour where nothing is stored."""
    if data is None:
        return _EPOCH, _EPOCH + RANGES["1h"]
    return floor(data[0], 60), floor(data[1], 60) + timedelta(minutes=1)


def _refused(parameter: str, problem: str, repair: str) -> Problem:
    return Problem(
        422,
        f"{parameter}: {problem}",
        repair,
        [FieldProblem(parameter=parameter, problem=problem, repair=repair)],
    )
