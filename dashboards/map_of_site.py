"""The map of a site: its declared zones and conduits, and what was seen between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from analyzers.sla import Status
from api.sites import KnownSite
from dashboards.links import NetworkLinks
from dashboards.protocol_names import protocol
from dashboards.svg.zone_map import MapWire, MapZone, WireState, zone_map
from dashboards.text import count
from store.answers import ConduitUse

_LANES: Final = {
    5.0: "L5 Internet",
    4.0: "L4 Enterprise",
    3.5: "L3.5 DMZ",
    3.0: "L3 Operations",
    2.0: "L2 Supervisory",
    1.0: "L1 Control",
    0.0: "L0 Process",
}
#: Above every Purdue level.
_OUTSIDE_LEVEL: Final = 6.0


def map_of_site(
    site: KnownSite,
    uses: Sequence[ConduitUse],
    statuses: Mapping[str, Status | str],
    links: NetworkLinks,
    focus: str = "",
) -> Markup:
    """The drawing: every declared zone, and 'outside' where something came from or went to no zone."""
    between = [use for use in uses if use.from_zone != use.to_zone]
    zones = [_zone(site, zone.id, statuses, focus, links) for zone in site.site.zones]
    if any("" in (use.from_zone, use.to_zone) for use in between):
        zones.append(
            MapZone(
                "",
                "Outside",
                "addresses in no zone",
                _OUTSIDE_LEVEL,
                "No zone",
                "no-data",
                "not measured",
                "/security/alerts",
            )
        )
    return zone_map(zones, [*_declared(site, between, links), *_undeclared(site, between, links)])


def _zone(
    site: KnownSite, zone_id: str, statuses: Mapping[str, Status | str], focus: str, links: NetworkLinks
) -> MapZone:
    zone = site.zone(zone_id)
    if zone is None:
        raise KeyError(zone_id)
    status = str(statuses.get(zone_id, Status.NO_DATA))
    assets = sum(asset.zone == zone_id for asset in site.site.assets)
    parts = [f"{assets} asset{'s' if assets != 1 else ''}" if assets else zone.criticality]
    parts += [f"SL {zone.sl_t}"] if zone.sl_t is not None else []
    return MapZone(
        id=zone_id,
        name=zone.label,
        detail=" · ".join(parts),
        level=float(zone.purdue),
        lane=_LANES.get(float(zone.purdue), f"L{zone.purdue:g}"),
        status=status.replace(" ", "-"),
        status_words=status,
        href=str(links.zone(zone_id)),
        focus=zone_id == focus,
    )


def _declared(site: KnownSite, uses: Sequence[ConduitUse], links: NetworkLinks) -> list[MapWire]:
    seen = {use.conduit: use for use in uses if use.conduit}
    busiest = max((use.packets for use in seen.values()), default=1)
    wires = []
    for conduit in site.site.conduits:
        use = seen.get(conduit.id)
        state: WireState = "unseen" if use is None else "flagged" if use.findings else "seen"
        ends = f"{conduit.id}: {site.zone_name(conduit.from_zone)} to {site.zone_name(conduit.to_zone)}"
        if use is None:
            words = f"{ends}, allowed, never seen"
        else:
            findings = f", {use.findings} findings" if use.findings else ""
            words = f"{ends}, allowed, seen: {_services(use)}, {count(use.packets)} packets{findings}"
        weight = math.log1p(use.packets) / math.log1p(busiest) if use else 0.0
        wires.append(
            MapWire(
                conduit.id,
                conduit.from_zone,
                conduit.to_zone,
                state,
                conduit.id,
                words,
                str(links.conduit(conduit.id)),
                weight,
            )
        )
    return wires


def _undeclared(site: KnownSite, uses: Sequence[ConduitUse], links: NetworkLinks) -> list[MapWire]:
    wires = []
    for use in uses:
        if use.conduit:
            continue
        ends = f"{site.zone_name(use.from_zone)} to {site.zone_name(use.to_zone)}"
        words = f"{ends}, not allowed, seen: {_services(use)}, {count(use.packets)} packets, {use.findings} findings"
        href = str(links.alerts(use.to_zone or use.from_zone))
        wires.append(MapWire("", use.from_zone, use.to_zone, "violation", _services(use), words, href))
    return wires


def _services(use: ConduitUse) -> str:
    return ", ".join(protocol(service) or "unknown service" for service in use.services) or "unknown service"
