"""Percentile bands over time with a strip of failures below: gaps are drawn as gaps, incidents as marks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from dashboards.svg.markup import element, joined, number, path_of
from dashboards.svg.scale import Scale, runs, ticks, time_ticks
from dashboards.text import significant

WIDTH: Final = 1120
HEIGHT: Final = 298
_LEFT: Final = 52
_RIGHT: Final = 92
_TOP: Final = 16
_PLOT: Final = 184
_MARKS: Final = 26
_STRIP: Final = 46
#: From one label's line to the next.
_LABEL: Final = 13
_BASE: Final = _TOP + _PLOT + _MARKS + _STRIP


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a triangle that leads to it."""

    at: datetime
    label: str
    href: str
    severe: bool


@dataclass(frozen=True, slots=True)
class Bands:
    """What is drawn. The sequences are one entry a step; None is not measured, which is not zero."""

    id: str  #: unique in the page, for references between elements
    title: str
    start: datetime
    end: datetime
    step_s: int
    measured: Sequence[bool]  #: whether the step may be judged; False is drawn as a gap
    p50: Sequence[float | None]  #: ms
    p95: Sequence[float | None]  #: ms
    p99: Sequence[float | None]  #: ms
    target: float | None  #: ms
    target_label: str
    strip: Sequence[float | None]  #: percent
    strip_name: str
    marks: Sequence[Mark] = ()


def bands(data: Bands) -> Markup:
    """The chart, as wide as its place; its words are in its title and description."""
    highest = max((v for v in data.p99 if v is not None), default=0.0)
    if data.target is not None and data.target <= highest * 8:
        # the target is drawn where it does not flatten the lines
        highest = max(highest, data.target * 1.08)
    y_ticks, strip_ticks = (
        ticks(highest),
        ticks(max((v for v in data.strip if v is not None), default=0.0), 1),
    )
    across = Scale(data.start.timestamp(), data.end.timestamp(), _LEFT, WIDTH - _RIGHT)
    up = Scale(0, y_ticks[-1], _TOP + _PLOT, _TOP)
    strip = Scale(0, strip_ticks[-1], _BASE, _BASE - _STRIP)
    middles = [across(data.start.timestamp() + data.step_s * (i + 0.5)) for i in range(len(data.p50))]
    return element(
        "svg",
        element("title", data.title, id=f"{data.id}-title"),
        element("desc", _words(data), id=f"{data.id}-words"),
        _axes(data, across, up, strip, y_ticks, strip_ticks[-1]),
        _gaps(data, across),
        _lines(data, middles, up),
        _strip(data, middles, strip, across),
        _target(data, up, y_ticks[-1]),
        _labels(data, up, y_ticks[-1]),
        _marks(data, across),
        element("g", class_="cross", data_cross=""),
        class_="bands",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="group",
        aria_labelledby=f"{data.id}-title",
        aria_describedby=f"{data.id}-words",
        data_chart=_values(data, middles),
    )


def _words(data: Bands) -> str:
    measured = [(v, i) for i, v in enumerate(data.p99) if v is not None]
    if not measured:
        return "Nothing was measured in this range."
    worst, index = max(measured)
    moment = datetime.fromtimestamp(data.start.timestamp() + index * data.step_s, data.start.tzinfo)
    blind = sum(not seen for seen in data.measured)
    target = f" Target: {significant(data.target)} ms." if data.target is not None else ""
    gaps = f" No data in {blind} of {len(data.measured)} steps." if blind else ""
    return f"p99 is highest at {moment:%d %b %H:%M} UTC with {significant(worst)} ms.{target}{gaps}"


def _axes(
    data: Bands, across: Scale, up: Scale, strip: Scale, y_ticks: Sequence[float], strip_top: float
) -> Markup:
    right = WIDTH - _RIGHT
    parts = []
    for tick in y_ticks:
        unit = " ms" if tick == y_ticks[-1] else ""
        parts.append(element("line", class_="grid", x1=_LEFT, x2=right, y1=up(tick), y2=up(tick)))
        parts.append(element("text", f"{tick:g}{unit}", class_="tick end", x=_LEFT - 8, y=up(tick) + 3.5))
    parts.append(element("line", class_="grid", x1=_LEFT, x2=right, y1=strip(0), y2=strip(0)))
    parts.append(element("text", f"{strip_top:g} %", class_="tick end", x=_LEFT - 8, y=_BASE - _STRIP + 6))
    parts.append(element("text", "0", class_="tick end", x=_LEFT - 8, y=_BASE + 2))
    parts.append(element("text", data.strip_name, class_="tick", x=right + 8, y=_BASE - 2))
    for moment, label in time_ticks(data.start, data.end):
        x = across(moment.timestamp())
        if _LEFT - 1 <= x <= right + 1:
            parts.append(element("line", class_="notch", x1=x, x2=x, y1=_BASE, y2=_BASE + 4))
            parts.append(element("text", label, class_="tick middle", x=x, y=_BASE + 19))
    return joined(*parts)


def _gaps(data: Bands, across: Scale) -> Markup:
    parts = []
    for start, end in runs([None if seen else 1.0 for seen in data.measured]):
        left, right = (across(data.start.timestamp() + data.step_s * i) for i in (start, end))
        parts.append(
            element("rect", class_="gap", x=left, y=_TOP, width=max(1.0, right - left), height=_BASE - _TOP)
        )
        if right - left >= 44:
            parts.append(element("text", "no data", class_="tick middle", x=(left + right) / 2, y=_TOP + 14))
    return joined(*parts)


def _lines(data: Bands, middles: Sequence[float], up: Scale) -> Markup:
    parts = []
    for name, low, high in (("b99", data.p95, data.p99), ("b95", data.p50, data.p95)):
        both = [None if a is None or b is None else b for a, b in zip(low, high, strict=True)]
        for start, end in runs(both):
            top = [(middles[i], up(high[i] or 0.0)) for i in range(start, end)]
            bottom = [(middles[i], up(low[i] or 0.0)) for i in reversed(range(start, end))]
            if end - start > 1:
                parts.append(element("polygon", class_=name, points=path_of(top + bottom)))
    for name, values in (("l99", data.p99), ("l95", data.p95), ("l50", data.p50)):
        for start, end in runs(values):
            points = [(middles[i], up(values[i] or 0.0)) for i in range(start, end)]
            if len(points) == 1:
                parts.append(element("circle", class_=f"dot {name}", cx=points[0][0], cy=points[0][1], r=2.2))
            else:
                parts.append(element("polyline", class_=name, points=path_of(points)))
    return joined(*parts)


def _strip(data: Bands, middles: Sequence[float], strip: Scale, across: Scale) -> Markup:
    # one path for all bars: a node a step would be most of the page
    step = across(data.start.timestamp() + data.step_s) - across(data.start.timestamp())
    width = min(14.0, max(1.0, step * 0.78))
    bars = []
    for x, value in zip(middles, data.strip, strict=True):
        if value:
            height = max(1.2, strip(0) - strip(value))
            bars.append(
                f"M{number(x - width / 2)},{number(_BASE)}v-{number(height)}h{number(width)}v{number(height)}z"
            )
    return element("path", class_="bar", d="".join(bars)) if bars else Markup("")


def _target(data: Bands, up: Scale, top: float) -> Markup:
    """The target's line; its words are among the labels at the right. Out of the chart's reach it is said only."""
    if data.target is None or data.target > top:
        return Markup("")
    y = up(data.target)
    return element("line", class_="target", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y)


def _labels(data: Bands, up: Scale, top: float) -> Markup:
    """Beside the lines' ends: the target and the last value of each line, the highest above."""
    wanted: list[tuple[float, str, str]] = []
    for name, values in (("p50", data.p50), ("p95", data.p95), ("p99", data.p99)):
        last = next((v for v in reversed(values) if v is not None), None)
        if last is not None:
            wanted.insert(0, (up(last) + 4, f"{name} {significant(last)}", f"endlabel e{name[1:]}"))
    above = 0
    if data.target is not None:
        within = data.target <= top
        y, text = up(data.target) + 4, data.target_label if within else f"▲ {data.target_label}"
        above = sum(other < y for other, _, _ in wanted) if within else 0
        wanted.insert(above, (y, text, "targetlabel"))
    places = spread([y for y, _, _ in wanted], above if data.target is not None else None)
    return joined(
        *(
            element("text", text, class_=css, x=WIDTH - _RIGHT + 8, y=y)
            for y, (_, text, css) in zip(places, wanted, strict=True)
        )
    )


def spread(places: Sequence[float], fixed: int | None = None) -> list[float]:
    """Where labels go that want these places, the topmost first: none on another, none over the chart's upper edge.

    A label gives way upwards, as what it names is the line below it; `fixed` (an index) gives way only to the edge.
    """
    found = list(places)
    for index in reversed(range(len(found) - 1)):
        if index != fixed:
            found[index] = min(found[index], found[index + 1] - _LABEL)
    floor = _TOP + 4.0
    for index, y in enumerate(found):
        found[index] = max(y, floor)
        floor = found[index] + _LABEL
    return found


def _marks(data: Bands, across: Scale) -> Markup:
    y = _TOP + _PLOT + 19
    parts = []
    for mark in data.marks:
        x = min(WIDTH - _RIGHT - 6, max(_LEFT + 6, across(mark.at.timestamp())))
        shape = f"M{number(x - 6.5)},{number(y)}l6.5,-11 l6.5,11z"
        parts.append(
            element(
                "a",
                element("title", mark.label),
                element("path", class_="hit", d=f"M{number(x - 12)},{number(y - 18)}h24v24h-24z"),
                element("path", class_="shape", d=shape),
                href=mark.href,
                class_="mark severe" if mark.severe else "mark",
                aria_label=mark.label,
            )
        )
    return joined(*parts)


def _values(data: Bands, middles: Sequence[float]) -> str:
    """What the pointer reads off: places and values, as JSON."""

    def rounded(values: Sequence[float | None]) -> list[float | None]:
        return [None if v is None else float(f"{v:.3g}") for v in values]

    body = {
        "start": int(data.start.timestamp()),
        "step": data.step_s,
        "first": round(middles[0], 1) if middles else 0,
        "last": round(middles[-1], 1) if middles else 0,
        "top": _TOP,
        "base": _BASE,
        "strip": data.strip_name,
        "rows": {
            "p99": rounded(data.p99),
            "p95": rounded(data.p95),
            "p50": rounded(data.p50),
            "bad": rounded(data.strip),
        },
    }
    return json.dumps(body, separators=(",", ":"))
