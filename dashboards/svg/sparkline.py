"""A line as small as a word: the course of one figure, gaps left open."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dashboards.svg.markup import element, path_of
from dashboards.svg.scale import Scale, runs


def sparkline(
    values: Sequence[float | None], width: int = 160, height: int = 30, from_zero: bool = True
) -> Markup:
    """The values as a line over the full width; nothing is drawn where nothing was measured."""
    present = [value for value in values if value is not None]
    if not present:
        return element("svg", class_="spark", viewBox=f"0 0 {width} {height}", aria_hidden="true")
    low = 0.0 if from_zero else min(present)
    across = Scale(0, max(1, len(values) - 1), 2, width - 2)
    up = Scale(low, max(present) if max(present) > low else low + 1, height - 3, 3)
    lines = []
    for start, end in runs(values):
        points = [
            (across(i), up(value)) for i, value in enumerate(values[start:end], start) if value is not None
        ]
        if len(points) == 1:
            lines.append(element("circle", cx=points[0][0], cy=points[0][1], r=1.6))
        else:
            lines.append(element("polyline", points=path_of(points)))
    return element(
        "svg",
        *lines,
        class_="spark",
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
        preserveAspectRatio="none",
    )
