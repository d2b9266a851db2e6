"""What entries must agree on: prefixes and addresses lie in one zone, a pair of zones has one conduit.

Only entries that are right in themselves are looked at, each with its place in the file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from policy.model import AllowRule, Asset, Conduit, Sla, Zone
from policy.prefixes import PrefixMap, address_bytes
from policy.problems import Path, path_text
from policy.values import IpAddress, IpNetwork


@dataclass(slots=True)
class Entries:
    """The entries that are right in themselves, with their places."""

    zones: list[tuple[Path, Zone]] = field(default_factory=list)
    assets: list[tuple[Path, Asset]] = field(default_factory=list)
    conduits: list[tuple[Path, Conduit]] = field(default_factory=list)
    rules: list[tuple[Path, Conduit, AllowRule]] = field(default_factory=list)
    sla: list[tuple[Path, Sla]] = field(default_factory=list)


def consistency_problems(entries: Entries) -> Iterator[tuple[Path, str]]:
    """Every disagreement: its place and its message."""
    yield from _equal_prefixes(entries.zones)
    zones = PrefixMap((cidr, zone.id) for _, zone in entries.zones for cidr in zone.cidrs)
    known = {zone.id for _, zone in entries.zones}
    yield from _assets_outside_their_zone(entries.assets, zones, known)
    yield from _conduits(entries.conduits)
    assets = {asset.id: asset for _, asset in entries.assets}
    for path, conduit, rule in entries.rules:
        yield from _selectors((*path, "src"), rule.src, conduit.from_zone, assets, zones, known)
        yield from _selectors((*path, "dst"), rule.dst, conduit.to_zone, assets, zones, known)
    yield from _repeated_scopes(entries.sla)


def _equal_prefixes(zones: Sequence[tuple[Path, Zone]]) -> Iterator[tuple[Path, str]]:
    owners: dict[IpNetwork, tuple[Path, str]] = {}
    for path, zone in zones:
        for index, cidr in enumerate(zone.cidrs):
            here = (*path, "cidrs", index)
            if cidr not in owners:
                owners[cidr] = here, zone.id
                continue
            there, owner = owners[cidr]
            whose = "this zone" if owner == zone.id else f"zone {owner!r}"
            yield (
                here,
                f"{cidr} is already {whose}'s at {path_text(there)}; keep it in one, or split the prefix",
            )


def _assets_outside_their_zone(
    assets: Sequence[tuple[Path, Asset]], zones: PrefixMap[str], known: set[str]
) -> Iterator[tuple[Path, str]]:
    owners: dict[IpAddress, str] = {}
    for path, asset in assets:
        if asset.ip is None:
            continue
        if asset.ip in owners:
            yield (
                (*path, "ip"),
                f"{asset.ip} is already the address of asset {owners[asset.ip]!r}; keep one",
            )
        owners.setdefault(asset.ip, asset.id)
        if asset.zone not in known:
            continue
        holding = zones.at(address_bytes(asset.ip))
        if not holding:
            yield (
                (*path, "ip"),
                f"{asset.ip} is in no zone's prefixes; add one to `cidrs` of zone {asset.zone!r}",
            )
        elif holding[-1] != asset.zone:
            yield (
                (*path, "ip"),
                f"{asset.ip} is in zone {holding[-1]!r}, the asset says {asset.zone!r}; correct one of them",
            )


def _conduits(conduits: Sequence[tuple[Path, Conduit]]) -> Iterator[tuple[Path, str]]:
    pairs: dict[tuple[str, str], str] = {}
    for path, conduit in conduits:
        pair = conduit.from_zone, conduit.to_zone
        if pair[0] == pair[1]:
            yield (
                (*path, "to"),
                f"the conduit goes from zone {pair[0]!r} to itself; traffic inside a zone needs none",
            )
        elif pair in pairs:
            yield path, f"conduit {pairs[pair]!r} joins the same zones in this direction; put the rules there"
        pairs.setdefault(pair, conduit.id)


def _selectors(
    path: Path,
    selectors: tuple[str, ...] | None,
    zone: str,
    assets: dict[str, Asset],
    zones: PrefixMap[str],
    known: set[str],
) -> Iterator[tuple[Path, str]]:
    """A rule's sources are in the zone its conduit leaves, its destinations in the zone it enters."""
    if zone not in known:
        return
    for index, selector in enumerate(selectors or ()):
        here = (*path, index)
        if selector in assets:
            if assets[selector].zone != zone:
                yield (
                    here,
                    f"the asset {selector!r} is in zone {assets[selector].zone!r}, the conduit says {zone!r}",
                )
            continue
        try:
            network = ipaddress.ip_network(selector)
        except ValueError:
            if _has_host_bits(selector):
                yield (
                    here,
                    f"{selector} has host bits set; write {ipaddress.ip_network(selector, strict=False)}",
                )
            continue
        holding = zones.at(address_bytes(network[0]))
        if not holding or holding[-1] != zone:
            found = f"in zone {holding[-1]!r}" if holding else "in no zone's prefixes"
            yield here, f"{selector} is {found}, the conduit says {zone!r}"


def _has_host_bits(selector: str) -> bool:
    try:
        ipaddress.ip_network(selector, strict=False)
    except ValueError:
        return False
    return True


def _repeated_scopes(slas: Sequence[tuple[Path, Sla]]) -> Iterator[tuple[Path, str]]:
    seen: dict[tuple[str | None, str | None], str] = {}
    for path, sla in slas:
        scope = sla.scope.zone, sla.scope.conduit
        if scope in seen:
            yield (*path, "scope"), f"the SLA {seen[scope]!r} is for the same scope; keep one"
        seen.setdefault(scope, sla.id)
