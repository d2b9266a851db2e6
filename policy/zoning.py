"""A site compiled for looking things up: addresses to zones, zone pairs to conduits, addresses to assets."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from policy.evidence import NO_EVIDENCE, Evidence
from policy.lookup import intervals_of
from policy.model import Asset, ChangeWindow, Conduit, Criticality, Site, Zone
from policy.prefixes import PrefixMap, address_bytes
from policy.sla_classes import SlaTarget
from policy.targets import conduit_targets, zone_targets
from policy.values import IpNetwork
from policy.verdict import RuleBook

#: Addresses that no router carries from one zone into another: nothing sent to or from them crosses a conduit.
LOCAL_PREFIXES: Final[tuple[IpNetwork, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # "this network", RFC 1122 3.2.1.3
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, RFC 3927
        "224.0.0.0/4",  # multicast, RFC 5771
        "255.255.255.255/32",  # limited broadcast
        "::/128",
        "::1/128",
        "fe80::/10",  # link-local, RFC 4291 2.5.6
        "ff00::/8",  # multicast, RFC 4291 2.7
    )
)
_LONGEST_WITH_BROADCAST: Final = 30


@dataclass(frozen=True)
class CompiledSite:
    """The policy's site, ready for whole columns; built by `compile_site`."""

    site: Site
    zones: Mapping[str, Zone]
    assets: Mapping[str, Asset]
    conduits: Mapping[str, Conduit]
    conduits_by_pair: Mapping[tuple[str, str], Conduit]
    assets_by_address: Mapping[bytes, Asset]
    changes_by_asset: Mapping[str, tuple[ChangeWindow, ...]]
    rules: RuleBook
    evidence: Evidence
    _zone_map: PrefixMap[str]
    _local_map: PrefixMap[bool]

    def zone_of(self, address: bytes) -> str:
        """The zone of one address of 16 bytes, empty where no prefix holds it; the longest prefix wins."""
        holding = self._zone_map.at(address)
        return holding[-1] if holding else ""

    def zones_of(self, addresses: pl.Series) -> pl.Series:
        """The zone id of each address: Binary(16) in, String out, "" where no prefix holds it."""
        zones = pl.Series(
            [values[-1] if values else "" for values in self._zone_map.covering], dtype=pl.String
        )
        return zones.gather(intervals_of(self._zone_map, addresses)).rename(addresses.name)

    def local_of(self, addresses: pl.Series) -> pl.Series:
        """Whether each address stays on its link: multicast, broadcast, link-local. Binary(16) in, Boolean out."""
        local = pl.Series([bool(values) for values in self._local_map.covering], dtype=pl.Boolean)
        return local.gather(intervals_of(self._local_map, addresses)).rename(addresses.name)

    def conduit_of(self, client_zone: str, server_zone: str) -> str:
        """The conduit that lets the first zone open conversations with the second; empty where there is none."""
        conduit = self.conduits_by_pair.get((client_zone, server_zone))
        return conduit.id if conduit else ""

    @cached_property
    def conduit_pairs(self) -> pl.DataFrame:
        """The declared pairs as a table: `client_zone`, `server_zone`, `conduit`."""
        rows = [(*pair, conduit.id) for pair, conduit in self.conduits_by_pair.items()]
        return pl.DataFrame(
            rows,
            schema={"client_zone": pl.String, "server_zone": pl.String, "conduit": pl.String},
            orient="row",
        )

    def asset_of(self, address: bytes) -> Asset | None:
        """The asset declared with an address of 16 bytes."""
        return self.assets_by_address.get(address)

    def purdue(self, zone: str) -> float | None:
        """The Purdue level of a zone; None for addresses outside every zone."""
        found = self.zones.get(zone)
        return found.purdue if found else None

    def criticality_of(self, address: bytes) -> Criticality | None:
        """The criticality of an asset, else of its zone; None for addresses outside every zone."""
        asset = self.asset_of(address)
        if asset and asset.criticality:
            return asset.criticality
        zone = self.zones.get(self.zone_of(address))
        return zone.criticality if zone else None

    @cached_property
    def zone_targets(self) -> Mapping[str, SlaTarget]:
        """What each zone is held to."""
        return zone_targets(self.site)

    @cached_property
    def conduit_targets(self) -> Mapping[str, SlaTarget]:
        """What each conduit is held to."""
        return conduit_targets(self.site)


def compile_site(site: Site, evidence: Evidence = NO_EVIDENCE) -> CompiledSite:
    """Compile a site that the loader accepted: references hold, ids and prefixes are unique."""
    assets = {asset.id: asset for asset in site.assets}
    changes: dict[str, list[ChangeWindow]] = {}
    for change in site.changes:
        for name in change.assets:
            changes.setdefault(name, []).append(change)
    return CompiledSite(
        site=site,
        zones={zone.id: zone for zone in site.zones},
        assets=assets,
        conduits={conduit.id: conduit for conduit in site.conduits},
        conduits_by_pair={(conduit.from_zone, conduit.to_zone): conduit for conduit in site.conduits},
        assets_by_address={address_bytes(asset.ip): asset for asset in site.assets if asset.ip is not None},
        changes_by_asset={name: tuple(found) for name, found in changes.items()},
        rules=RuleBook(site),
        evidence=evidence,
        _zone_map=PrefixMap((cidr, zone.id) for zone in site.zones for cidr in zone.cidrs),
        _local_map=PrefixMap((network, True) for network in (*LOCAL_PREFIXES, *_broadcasts(site))),
    )


def _broadcasts(site: Site) -> list[IpNetwork]:
    """The directed broadcast address of every IPv4 prefix that has one."""
    return [
        ipaddress.ip_network(f"{cidr.broadcast_address}/32")
        for zone in site.zones
        for cidr in zone.cidrs
        if cidr.version == 4 and cidr.prefixlen <= _LONGEST_WITH_BROADCAST
    ]
