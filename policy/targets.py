"""What each zone and conduit is held to: its `sla` entry, else the default that follows from its criticality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from policy.model import Site
from policy.sla_classes import SLA_CLASSES, SlaTarget


def zone_targets(site: Site) -> Mapping[str, SlaTarget]:
    """By zone id: the zone's `sla` entry, else its criticality's class (C3 where the zone names none)."""
    targets = {zone.id: SLA_CLASSES[zone.criticality] for zone in site.zones}
    targets.update({sla.scope.zone: sla.target for sla in site.sla if sla.scope.zone})
    return targets


def conduit_targets(site: Site) -> Mapping[str, SlaTarget]:
    """By conduit id: the conduit's `sla` entry, else what the zone that is asked is held to."""
    zones = zone_targets(site)
    targets = {conduit.id: replace(zones[conduit.to_zone], sla_id="") for conduit in site.conduits}
    targets.update({sla.scope.conduit: sla.target for sla in site.sla if sla.scope.conduit})
    return targets


def target_of_zone(site: Site, zone_id: str) -> SlaTarget:
    """What one zone is held to; KeyError for a zone that is not declared."""
    return zone_targets(site)[zone_id]


def target_of_conduit(site: Site, conduit_id: str) -> SlaTarget:
    """What one conduit is held to; KeyError for a conduit that is not declared."""
    return conduit_targets(site)[conduit_id]
