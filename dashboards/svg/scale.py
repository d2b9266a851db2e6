"""From values to places: straight scales, round ticks, times of day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIME_STEPS_S: Final = (
    60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where the value lies; values outside are held at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(1.0, max(0.0, share))


def ticks(highest: float, wanted: int = 4) -> list[float]:
    """Round values from 0 to at least the highest: what an axis shows. [0, 1] where nothing is above 0."""
    if highest <= 0:
        return [0.0, 1.0]
    raw = highest / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(r * magnitude for r in _ROUND if r * magnitude >= raw * 0.999)
    steps = math.ceil(highest / step - 1e-9)
    return [round(index * step, 9) for index in range(steps + 1)]


def time_ticks(start: datetime, end: datetime, wanted: int = 9) -> list[tuple[datetime, str]]:
    """Round times of [start, end] with their labels: a time of day, or the day at midnight and in long spans."""
    seconds = (end - start).total_seconds()
    step = next((s for s in _TIME_STEPS_S if seconds / s <= wanted), _TIME_STEPS_S[-1])
    first = math.ceil(start.timestamp() / step) * step
    moments = [
        datetime.fromtimestamp(first, UTC) + timedelta(seconds=step * i)
        for i in range(int(seconds // step) + 1)
    ]
    return [(moment, _label(moment, step)) for moment in moments if moment <= end]


def _label(moment: datetime, step: int) -> str:
    if step >= 86_400 or (step >= 3600 and moment.hour == 0 and moment.minute == 0):
        return f"{moment:%d %b}"
    return f"{moment:%H:%M}"


def runs(values: Sequence[float | None]) -> list[tuple[int, int]]:
    """Where values are, as half-open index ranges: what may be joined by a line."""
    found: list[tuple[int, int]] = []
    start: int | None = None
    for index, value in enumerate([*values, None]):
        if value is not None and start is None:
            start = index
        elif value is None and start is not None:
            found.append((start, index))
            start = None
    return found
