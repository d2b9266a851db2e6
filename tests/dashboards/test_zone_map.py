"""The map of zones and conduits."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

from dashboards.svg.layers import Place, layers
from dashboards.svg.zone_map import WIDTH, MapWire, MapZone, zone_map
from pcaps import POLICIES
from policy.loader import load

LEVELS = {"ent": 4.0, "dmz": 3.5, "ops": 3.0, "a": 2.0, "b": 2.0, "c": 2.0, "plant": 1.0, "sis": 1.0}
ZONES = [
    MapZone(name, name.title(), "3 assets", level, f"L{level:g}", "met", "met", f"/network/zones/{name}")
    for name, level in LEVELS.items()
]


def _wire(source: str, target: str, state: str = "seen") -> MapWire:
    words = f"{source} to {target}, {state}"
    return MapWire("w", source, target, state, f"{source}-{target}", words, f"/w/{source}/{target}")  # type: ignore[arg-type]


WIRES = [
    _wire("ent", "dmz"),
    _wire("dmz", "ops"),
    _wire("ops", "a"),
    _wire("ops", "b"),
    _wire("ops", "c", "unseen"),
    _wire("a", "plant", "flagged"),
    _wire("b", "plant"),
    _wire("plant", "ops"),
    _wire("ent", "plant", "violation"),
    _wire("plant", "sis", "violation"),
    _wire("sis", "plant"),
    _wire("a", "c"),
]


def _boxes(root: ElementTree.Element, css: str) -> list[tuple[float, float, float, float]]:
    found = []
    for link in root.iter("a"):
        if css in link.get("class", "").split():
            box = next(link.iter("rect"))
            x, y, width, height = (float(box.get(name, "")) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def _drawn() -> ElementTree.Element:
    return ElementTree.fromstring(str(zone_map(ZONES, WIRES)))  # noqa: S314 -- our own markup


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_no_zone_and_no_tag_lies_on_another() -> None:
    root = _drawn()
    boxes = _boxes(root, "zone") + _boxes(root, "tag")
    assert len(boxes) == len(ZONES) + len(WIRES)
    for one, other in combinations(boxes, 2):
        assert not _overlap(one, other)


def test_everything_lies_inside_the_drawing() -> None:
    root = _drawn()
    height = float(root.get("viewBox", "").split()[3])
    for left, top, right, bottom in _boxes(root, "zone") + _boxes(root, "tag"):
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= height


@pytest.mark.parametrize("policy", ["mine-a", "value-chain"])
def test_the_sample_sites_are_drawn_without_overlap_and_whole(policy: str) -> None:
    site = load(POLICIES / f"{policy}.yaml").site
    zones = [
        MapZone(zone.id, zone.label, "3 assets", zone.purdue, f"L{zone.purdue:g}", "met", "met", "/")
        for zone in site.zones
    ]
    wires = [
        MapWire(conduit.id, conduit.from_zone, conduit.to_zone, "seen", conduit.id, "allowed", "/")
        for conduit in site.conduits
    ]
    wires.append(_wire("enterprise", "plant", "violation"))
    root = ElementTree.fromstring(str(zone_map(zones, wires)))  # noqa: S314 -- our own markup
    boxes = _boxes(root, "zone") + _boxes(root, "tag")
    assert all(0 <= left < right <= WIDTH for left, _, right, _ in boxes)
    assert not [pair for pair in combinations(boxes, 2) if _overlap(*pair)]


def test_higher_purdue_levels_lie_higher() -> None:
    boxes = {link.get("href", ""): next(link.iter("rect")) for link in _drawn().iter("a")}
    tops = [
        float(boxes[f"/network/zones/{name}"].get("y", "")) for name in ("ent", "dmz", "ops", "a", "plant")
    ]
    assert tops == sorted(tops)


def test_what_is_not_allowed_differs_by_sign_and_words_not_by_colour_alone() -> None:
    texts = {link.get("href"): "".join(next(link.iter("text")).itertext()) for link in _drawn().iter("a")}
    assert texts["/w/ent/plant"].startswith("! ")
    assert texts["/w/ops/c"].startswith("○ ")
    assert texts["/w/a/plant"].startswith("▲ ")
    assert texts["/w/ent/dmz"] == "ent-dmz"
    labels = {link.get("href"): link.get("aria-label") for link in _drawn().iter("a")}
    assert labels["/w/ent/plant"] == "ent to plant, violation"


def test_the_same_site_is_always_drawn_the_same() -> None:
    assert zone_map(ZONES, WIRES) == zone_map(ZONES, WIRES)


def test_wires_of_unknown_zones_and_within_a_zone_are_left_out() -> None:
    root = ElementTree.fromstring(  # noqa: S314 -- our own markup
        str(zone_map(ZONES, [_wire("ent", "nowhere"), _wire("ops", "ops")]))
    )
    assert _boxes(root, "tag") == []


def test_a_long_wire_passes_beside_the_zones_between() -> None:
    plan = layers({"top": 0, "middle": 1, "bottom": 2}, [("top", "bottom"), ("top", "middle")], 0, 1000)
    passage = plan.ways[0][1]
    assert passage.wire == 0
    assert abs(plan.x[passage] - plan.x[Place("middle", 1)]) > 82


def test_a_site_without_conduits_is_only_zones() -> None:
    root = ElementTree.fromstring(str(zone_map(ZONES, [])))  # noqa: S314 -- our own markup
    assert len(_boxes(root, "zone")) == len(ZONES)
