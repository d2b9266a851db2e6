"""The conduit heat map: availability of each conduit in each cell of time, in words, numbers and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.figures import complete, is_measured
from api.window import Window
from dashboards.text import percent
from policy.sla_classes import SlaTarget
from store.answers import SlaPoint

#: Cell lengths in s that read well beside each other, and how many of them fit.
_CELLS_S: Final = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_CELLS_WANTED: Final = 24
#: Targets above this are missed in the second decimal.
_FINE_TARGET: Final = 0.9991


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One conduit in one cell of time."""

    start: datetime
    end: datetime
    shade: str  #: full, met, missed-1, missed-2, missed-3, seen, none
    text: str  #: the number, where the target was missed
    words: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One conduit."""

    id: str
    name: str
    target: SlaTarget
    cells: tuple[HeatCell, ...]
    total: str


def cell_length(window: Window) -> int:
    """The cell's length in s that cuts the window into at most the wanted number."""
    seconds = window.span.total_seconds()
    return next((cell for cell in _CELLS_S if seconds / cell <= _CELLS_WANTED), _CELLS_S[-1])


def heat_row(
    conduit: str, name: str, target: SlaTarget, points: Sequence[SlaPoint], window: Window
) -> HeatRow:
    """One conduit's cells over the window, whose step is the cell's length."""
    cells = complete(points, window)
    good, asked, missed = (
        sum(getattr(p, field) for p in cells if is_measured(p))
        for field in ("good", "transactions", "missed")
    )
    due = asked + missed
    return HeatRow(
        conduit,
        name,
        target,
        tuple(_cell(point, target, window) for point in cells),
        percent(good / due if due else None),
    )


def heat_rows(
    names: Mapping[str, str],
    targets: Mapping[str, SlaTarget],
    points: Mapping[str, Sequence[SlaPoint]],
    window: Window,
) -> list[HeatRow]:
    """A row for each named conduit, seen or not, in the order of the names."""
    return [heat_row(id_, name, targets[id_], points.get(id_, ()), window) for id_, name in names.items()]


def shade(availability: float, target: float) -> str:
    """How far below the target: up to twice, ten times, or more of what may go wrong."""
    if availability >= 1:
        return "full"
    if availability >= target:
        return "met"
    overspent = (1 - availability) / (1 - target) if target < 1 else float("inf")
    return "missed-1" if overspent <= 2 else "missed-2" if overspent <= 10 else "missed-3"


def _cell(point: SlaPoint, target: SlaTarget, window: Window) -> HeatCell:
    start = point.start
    end = start + window.span / window.steps
    when = f"{start:%H:%M} to {end:%H:%M} UTC"
    if not is_measured(point):
        return HeatCell(start, end, "none", "", f"no data, {when}")
    availability = point.availability
    if availability is None:
        # seen, but without requests that could be answered: nothing to judge
        why = point.causes.why_not
        words = f"not measurable ({why})" if why else "seen, but without requests"
        return HeatCell(start, end, "seen", "", f"{words}, {when}")
    kind = shade(availability, target.availability)
    text = (
        percent(availability, 2 if target.availability > _FINE_TARGET else 1)
        if kind.startswith("missed")
        else ""
    )
    return HeatCell(start, end, kind, text, f"{percent(availability, 3)} %, {when}")
