"""Zones in their Purdue lanes and the conduits between them: allowed and seen, never seen, seen but not allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from markupsafe import Markup

from dashboards.svg.layers import Layers, Place, layers
from dashboards.svg.markup import element, joined, number

WIDTH: Final = 1120
_LANE: Final = 118
_TOP: Final = 8
_LABELS: Final = 128
_NODE_WIDTH: Final = 164
_NODE_HEIGHT: Final = 54
_TAG_HEIGHT: Final = 18
#: Mean width of a letter of a tag and of a zone's name, in the wide face of a plain Debian.
_TAG_LETTER: Final = 6.4
_NAME_LETTERS: Final = 17

WireState = Literal["seen", "flagged", "unseen", "violation"]
Point = tuple[float, float]
#: A cubic Bézier curve: start, two controls, end.
Curve = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class MapZone:
    """A zone: a box with a link."""

    id: str
    name: str
    detail: str
    level: float  #: Purdue level: higher lies further up
    lane: str  #: the lane's name
    status: str  #: met, at-risk, breached, no-data: a class, and the name of its mark
    status_words: str
    href: str
    focus: bool = False


@dataclass(frozen=True, slots=True)
class MapWire:
    """A conduit, or traffic without one."""

    id: str
    source: str
    target: str
    state: WireState
    tag: str
    words: str  #: all of it, for those who cannot see the drawing
    href: str
    weight: float = 0.0  #: 0 to 1: how much of the site's traffic


def zone_map(zones: Sequence[MapZone], wires: Sequence[MapWire], id_: str = "map") -> Markup:
    """The drawing. Wires between zones that are not given are left out."""
    known = {zone.id for zone in zones}
    wires = [
        wire for wire in wires if wire.source in known and wire.target in known and wire.source != wire.target
    ]
    levels = sorted({zone.level for zone in zones}, reverse=True)
    lane_of = {zone.id: levels.index(zone.level) for zone in zones}
    plan = layers(lane_of, [(wire.source, wire.target) for wire in wires], _LABELS, WIDTH - 16)
    curves = _curves(plan, wires)
    tags = _tag_places(plan, wires, curves)
    height = _TOP + _LANE * len(levels)
    # violations last: on top of everything
    order = sorted(
        range(len(wires)), key=lambda i: ("unseen", "seen", "flagged", "violation").index(wires[i].state)
    )
    return element(
        "svg",
        _heads(id_),
        joined(*(_lane(index, zones, level) for index, level in enumerate(levels))),
        joined(*(_wire(wires[i], curves[i], id_) for i in order)),
        joined(*(_zone(zone, plan.x[Place(zone.id, lane_of[zone.id])], lane_of[zone.id]) for zone in zones)),
        joined(*(_tag(wires[i], tags[i]) for i in order)),
        class_="zonemap",
        viewBox=f"0 0 {WIDTH} {height}",
        role="group",
        aria_label="Zones and conduits",
    )


def _middle(lane: int) -> float:
    return _TOP + lane * _LANE + (_LANE - 8) / 2


def _heads(id_: str) -> Markup:
    heads = [
        element(
            "marker",
            element("path", d="M0,0L8,4L0,8z"),
            id=f"{id_}-{state}",
            class_=f"head {state}",
            viewBox="0 0 8 8",
            refX=7,
            refY=4,
            markerUnits="userSpaceOnUse",
            markerWidth=10,
            markerHeight=10,
            orient="auto",
        )
        for state in ("seen", "flagged", "unseen", "violation")
    ]
    return element("defs", *heads)


def _lane(index: int, zones: Sequence[MapZone], level: float) -> Markup:
    name = next(zone.lane for zone in zones if zone.level == level)
    y = _TOP + index * _LANE
    return joined(
        element(
            "rect", class_="lane odd" if index % 2 else "lane", x=0, y=y, width=WIDTH, height=_LANE - 8, rx=8
        ),
        element("text", name, class_="lanename", x=14, y=y + 22),
    )


def _zone(zone: MapZone, x: float, lane: int) -> Markup:
    left, top = x - _NODE_WIDTH / 2, _middle(lane) - _NODE_HEIGHT / 2
    words = f"{zone.name}: {zone.status_words}, {zone.detail}"
    return element(
        "a",
        element("title", words),
        element("rect", class_="box", x=left, y=top, width=_NODE_WIDTH, height=_NODE_HEIGHT, rx=9),
        element("text", _short(zone.name, _NAME_LETTERS), class_="name", x=left + 13, y=top + 23),
        element("text", zone.detail, class_="detail", x=left + 13, y=top + 41),
        element(
            "use", href=f"#mark-{zone.status}", x=left + _NODE_WIDTH - 27, y=top + 20, width=15, height=15
        ),
        href=zone.href,
        class_=f"zone {zone.status}{' focus' if zone.focus else ''}",
        aria_label=words,
    )


def _wire(wire: MapWire, curves: Sequence[Curve], id_: str) -> Markup:
    way = f"M{_at(curves[0][0])}" + "".join(f"C{_at(b)} {_at(c)} {_at(d)}" for _, b, c, d in curves)
    width = 2.6 if wire.state == "violation" else 1.4 + 2.2 * wire.weight
    return element(
        "path", class_=f"wire {wire.state}", d=way, stroke_width=width, marker_end=f"url(#{id_}-{wire.state})"
    )


def _tag(wire: MapWire, place: Point) -> Markup:
    text, (x, y) = _tag_text(wire), place
    width = _tag_width(wire)
    return element(
        "a",
        element("title", wire.words),
        element(
            "rect",
            x=x - width / 2,
            y=y - _TAG_HEIGHT / 2,
            width=width,
            height=_TAG_HEIGHT,
            rx=_TAG_HEIGHT / 2,
        ),
        element("text", text, class_="middle", x=x, y=y + 3.8),
        href=wire.href,
        class_=f"tag {wire.state}",
        aria_label=wire.words,
    )


def _tag_text(wire: MapWire) -> str:
    sign = {"seen": "", "flagged": "▲ ", "unseen": "○ ", "violation": "! "}[wire.state]
    return sign + _short(wire.tag, 26)


def _tag_width(wire: MapWire) -> float:
    return 16 + _TAG_LETTER * len(_tag_text(wire))


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _at(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"


def _curves(plan: Layers, wires: Sequence[MapWire]) -> list[list[Curve]]:
    """Every wire as curves from zone to zone: down or up through the lanes, or beside within one."""
    ports = _ports(plan)
    result = []
    for index, way in enumerate(plan.ways):
        if way[0].lane == way[-1].lane:
            result.append([_beside(plan, way[0], way[-1], index, wires)])
            continue
        down = way[-1].lane > way[0].lane
        half = _NODE_HEIGHT / 2 if down else -_NODE_HEIGHT / 2
        curves: list[Curve] = []
        for step, (one, other) in enumerate(pairwise(way)):
            start = (
                ports.get((index, 0), plan.x[one]) if step == 0 else plan.x[one],
                _middle(one.lane) + half,
            )
            last = step == len(way) - 2
            end_x = ports.get((index, 1), plan.x[other]) if last else plan.x[other]
            # the arrow's head ends at the box's edge
            end = (end_x, _middle(other.lane) - half - (2 if down else -2) * last)
            bend = (end[1] - start[1]) * 0.55
            curves.append((start, (start[0], start[1] + bend), (end[0], end[1] - bend), end))
            if not last:
                beyond = (end[0], _middle(other.lane) + half)
                curves.append((end, end, beyond, beyond))
        result.append(curves)
    return result


def _ports(plan: Layers) -> dict[tuple[int, int], float]:
    """Where on a zone's upper or lower edge each wire begins (0) and ends (1): side by side, not crossing."""
    edges: dict[tuple[Place, bool], list[tuple[float, int, int]]] = {}
    for index, way in enumerate(plan.ways):
        if way[0].lane == way[-1].lane:
            continue
        down = way[-1].lane > way[0].lane
        edges.setdefault((way[0], down), []).append((plan.x[way[1]], index, 0))
        edges.setdefault((way[-1], not down), []).append((plan.x[way[-2]], index, 1))
    ports = {}
    for (place, _), ends in edges.items():
        pitch = min(30.0, (_NODE_WIDTH - 40) / max(1, len(ends) - 1))
        for order, (_, index, end) in enumerate(sorted(ends)):
            ports[index, end] = plan.x[place] + (order - (len(ends) - 1) / 2) * pitch
    return ports


def _beside(plan: Layers, one: Place, other: Place, index: int, wires: Sequence[MapWire]) -> Curve:
    """Within a lane: straight to the next zone, under the zones between to a further one."""
    row = [place for place in plan.lanes[one.lane] if place.wire < 0]
    sign = 1 if plan.x[other] > plan.x[one] else -1
    y = _middle(one.lane)
    if abs(row.index(one) - row.index(other)) == 1:
        # both directions between the same two zones: side by side
        y += 12 * sign if _has_counterpart(wires, wires[index]) else 0
        start, end = (
            (plan.x[one] + sign * _NODE_WIDTH / 2, y),
            (plan.x[other] - sign * (_NODE_WIDTH / 2 + 2), y),
        )
        return start, (start[0] + sign * 30, y), (end[0] - sign * 30, y), end
    low = y + _NODE_HEIGHT / 2
    start, end = (plan.x[one] + sign * 40, low), (plan.x[other] - sign * 40, low + 2)
    return start, (start[0] + sign * 30, low + 46), (end[0] - sign * 30, low + 46), end


def _tag_places(
    plan: Layers, wires: Sequence[MapWire], curves: Sequence[Sequence[Curve]]
) -> Mapping[int, Point]:
    """A place on each wire for its tag, clear of zones and of other tags; violations choose first."""
    zones = [
        (plan.x[p], _middle(p.lane), _NODE_WIDTH, float(_NODE_HEIGHT))
        for row in plan.lanes
        for p in row
        if p.wire < 0
    ]
    taken: list[tuple[float, float, float, float]] = list(zones)
    places: dict[int, Point] = {}
    for index in sorted(
        range(len(wires)), key=lambda i: (wires[i].state != "violation", wires[i].state == "unseen", i)
    ):
        width = _tag_width(wires[index])
        # of two wires between the same zones, each has its tag nearer to where it begins
        first = 0.25 if _has_counterpart(wires, wires[index]) else 0.5
        candidates = [
            _inside(_point(c, t), width)
            for t in (first, 0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78)
            for c in _middle_first(curves[index])
        ]
        clear = [p for p in candidates if not any(_overlap(p, width, other) for other in taken)]
        place = clear[0] if clear else candidates[0]
        taken.append((*place, width, float(_TAG_HEIGHT)))
        places[index] = place
    return places


def _inside(place: Point, width: float) -> Point:
    """A tag beside its wire rather than cut off at the drawing's edge."""
    return min(max(place[0], width / 2), WIDTH - width / 2), place[1]


def _has_counterpart(wires: Sequence[MapWire], one: MapWire) -> bool:
    return any(wire.source == one.target and wire.target == one.source for wire in wires)


def _middle_first(curves: Sequence[Curve]) -> list[Curve]:
    middle = (len(curves) - 1) / 2
    return [curves[i] for i in sorted(range(len(curves)), key=lambda i: (abs(i - middle), i))]


def _overlap(place: Point, width: float, other: tuple[float, float, float, float]) -> bool:
    x, y, other_width, other_height = other
    return (
        abs(place[0] - x) < (width + other_width) / 2 + 4
        and abs(place[1] - y) < (_TAG_HEIGHT + other_height) / 2 + 3
    )


def _point(curve: Curve, t: float) -> Point:
    a, b, c, d = curve
    u = 1 - t
    x, y = (u**3 * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t**3 * d[k] for k in (0, 1))
    return x, y
