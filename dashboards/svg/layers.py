"""Where zones and wires lie: lanes from top to bottom, wires through the gaps between zones, few crossings.

The layered drawing of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system
structures", IEEE Trans. SMC 11(2), 1981): a wire over several lanes gets a narrow place in each lane between, and
places are ordered by the mean of their neighbours. The same zones and wires always give the same drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

#: Rounds of ordering; more change nothing in drawings of this size.
_SWEEPS: Final = 6
#: Rounds of drawing together, and how far each goes.
_PULLS: Final = 10
_PULL: Final = 0.6
#: Width of a zone and of a wire's passage, with the space around them.
NODE_ROOM: Final = 292.0
PASSAGE_ROOM: Final = 96.0
_NODE_SHARE: Final = 1.0
_PASSAGE_SHARE: Final = 0.34


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What takes room in a lane: a zone, or (with `wire` not below 0) a wire's passage through it."""

    name: str
    lane: int
    wire: int = -1


@dataclass(slots=True)
class Layers:
    """The places of every lane from left to right, and the way of every wire through them."""

    lanes: list[list[Place]]
    ways: list[list[Place]]
    x: dict[Place, float] = field(default_factory=dict)


def layers(lane_of: Mapping[str, int], wires: Sequence[tuple[str, str]], left: float, right: float) -> Layers:
    """Order the zones of each lane and lead the wires between them.

    `lane_of` maps a zone to its lane, 0 on top; `wires` are pairs of zones. Every zone of a wire must have a lane.
    """
    count = max(lane_of.values(), default=-1) + 1
    result = Layers([[] for _ in range(count)], [])
    for name, lane in lane_of.items():
        result.lanes[lane].append(Place(name, lane))
    for index, (source, target) in enumerate(wires):
        start, end = lane_of[source], lane_of[target]
        step = 1 if end >= start else -1
        passages = (
            [Place(f"{source} {target}", lane, index) for lane in range(start + step, end, step)]
            if start != end
            else []
        )
        for passage in passages:
            result.lanes[passage.lane].append(passage)
        result.ways.append([Place(source, start), *passages, Place(target, end)])
    _order(result)
    _spread(result, left, right)
    return result


def _neighbours(result: Layers) -> dict[Place, list[Place]]:
    neighbours: dict[Place, list[Place]] = {place: [] for lane in result.lanes for place in lane}
    for way in result.ways:
        for one, other in pairwise(way):
            if one.lane != other.lane:
                neighbours[one].append(other)
                neighbours[other].append(one)
    return neighbours


def _order(result: Layers) -> None:
    neighbours = _neighbours(result)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        lanes = range(len(result.lanes)) if down else reversed(range(len(result.lanes)))
        for lane in lanes:
            # shares of the lane's width: lanes with few places count as much as lanes with many
            where = {p: (i + 0.5) / len(row) for row in result.lanes for i, p in enumerate(row)}
            beyond = lane - 1 if down else lane + 1
            means = {}
            for place in result.lanes[lane]:
                near = [where[n] for n in neighbours[place] if n.lane == beyond]
                means[place] = sum(near) / len(near) if near else where[place]
            # a stable sort: places that agree keep their order
            result.lanes[lane].sort(key=means.__getitem__)


def _spread(result: Layers, left: float, right: float) -> None:
    """Even places first, then each drawn towards its neighbours: wires become straight where there is room."""
    for row in result.lanes:
        shares = [_NODE_SHARE if place.wire < 0 else _PASSAGE_SHARE for place in row]
        unit = (right - left) / sum(shares) if shares else 0.0
        x = left
        for place, share in zip(row, shares, strict=True):
            result.x[place] = x + unit * share / 2
            x += unit * share
    neighbours = _neighbours(result)
    for _ in range(_PULLS):
        for row in result.lanes:
            wanted = []
            for place in row:
                near = [result.x[other] for other in neighbours[place]]
                pull = sum(near) / len(near) if near else result.x[place]
                wanted.append(result.x[place] + (pull - result.x[place]) * _PULL)
            for place, x in zip(row, _apart(row, wanted, left, right), strict=True):
                result.x[place] = x


def _apart(row: Sequence[Place], wanted: Sequence[float], left: float, right: float) -> list[float]:
    """The wanted places in their order, far enough from each other and from the edges."""
    rooms = _rooms(row, right - left)
    # both keep the distances, so their mean does: what must give way gives way to both sides
    ends = zip(_from_left(wanted, rooms, left), _from_right(wanted, rooms, right), strict=True)
    middle = [(a + b) / 2 for a, b in ends]
    # their room is never wider than the lane: what is pushed off one edge does not fall off the other
    return _from_right(_from_left(middle, rooms, left), rooms, right)


def _from_left(wanted: Sequence[float], rooms: Sequence[float], left: float) -> list[float]:
    """Each as wanted, or as far to the right of it as the edge and the one before demand."""
    placed: list[float] = []
    for x, room in zip(wanted, rooms, strict=True):
        edge = placed[-1] + rooms[len(placed) - 1] / 2 if placed else left
        placed.append(max(x, edge + room / 2))
    return placed


def _from_right(wanted: Sequence[float], rooms: Sequence[float], right: float) -> list[float]:
    """The same from the other side."""
    mirrored = _from_left([-x for x in reversed(wanted)], list(reversed(rooms)), -right)
    return [-x for x in reversed(mirrored)]


def _rooms(row: Sequence[Place], width: float) -> list[float]:
    """How wide each place is with the space around it: a crowded lane has less space, and nothing beyond its edge."""
    rooms = [NODE_ROOM if place.wire < 0 else PASSAGE_ROOM for place in row]
    share = min(1.0, width / sum(rooms)) if rooms else 1.0
    return [room * share for room in rooms]
