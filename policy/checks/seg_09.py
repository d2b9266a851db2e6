"""SEG-09: a device that nobody declared."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.devices import NOBODY, Claims, declared_macs, of_device
from policy.judged import Judged
from policy.levels import OFFICE
from policy.lookup import intervals_of
from policy.prefixes import PrefixMap
from policy.values import IpNetwork
from policy.violations import VIOLATION, address_texts, grouped, mac_texts, zone_text
from policy.zoning import CompiledSite

#: Undeclared senders kept: those that were seen first.
SENDERS_LIMIT: Final = 65_536

_SENDER: Final[dict[str, pl.DataType]] = {
    "ip": pl.Binary(),
    "zone": pl.String(),
    "peer": pl.Binary(),
    "port": pl.UInt16(),
    "ts_ns": pl.Int64(),
    "frame": pl.UInt64(),
}


class UndeclaredDevice(CaptureCheck):
    """A device in a zone of the plant that the policy does not know.

    Reports
        An address of a zone below the office whose devices the policy lists, that sends or is claimed by ARP,
        neighbour discovery or DHCP, and that belongs to no asset: neither the address nor the MAC address that
        claims it is declared, no rule names the address and no prefix of a rule holds it. Zones without a
        single asset are not listed, so nothing is reported of them. One finding a device.

    Why it matters
        What nobody listed nobody looks after: a laptop at a spare port, a converter that came with a machine,
        the first step of whoever wants to stay.

    Example
        Somebody plugs a laptop into the pump hall's switch; it asks for an address and gets one.

    Do not be fooled by
        Addresses that are given anew by DHCP: name the MAC addresses. IPv6 addresses that change for privacy.
        A forged sender: an address that only sends, and that nobody claims, may not be there at all.
    """

    id = "SEG-09"
    title = "a device that nobody declared"
    base_severity = 2
    references = ("SR 7.8", "CM-8")
    techniques = ("T0864",)

    def watch(self, site: CompiledSite) -> Watch:
        """Who is there."""
        return _Present(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The zone, and how the device was seen."""
        return (
            f"The policy lists the devices of {zone_text(site, violation['client_zone'])}; this one is not among "
            f"them, and no rule names it. It was seen so: {violation['examples'][0]['text']}."
        )


class _Present(Watch):
    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        listed = {asset.zone for asset in site.assets.values()}
        self._zones = [zone.id for zone in site.zones.values() if zone.id in listed and zone.purdue < OFFICE]
        self._known = PrefixMap((network, True) for network in _known_networks(site))
        self._macs = declared_macs(site)
        self._claims = Claims()
        self._senders = pl.DataFrame(schema=_SENDER)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._claims.add(judged.traffic.observations)
        flows = judged.traffic.flow_minutes
        sides = [
            flows.filter((pl.col(f"packets_{way}") > 0) & pl.col(f"{side}_zone").is_in(self._zones)).select(
                ip=f"{side}_ip",
                zone=f"{side}_zone",
                peer=f"{other}_ip",
                port="server_port",
                ts_ns=pl.col("first_ts").dt.epoch("ns"),
                frame="first_frame",
            )
            for side, other, way in (("client", "server", "c2s"), ("server", "client", "s2c"))
        ]
        senders = self._unknown(pl.concat(sides))
        if senders.is_empty():
            return
        self._senders = (
            pl.concat([self._senders, senders])
            .sort("ts_ns", "frame", "ip", "peer")
            .unique("ip", keep="first", maintain_order=True)
            .head(SENDERS_LIMIT)
        )

    def _unknown(self, rows: pl.DataFrame) -> pl.DataFrame:
        known = pl.Series([bool(held) for held in self._known.covering], dtype=pl.Boolean)
        return rows.filter(
            ~known.gather(intervals_of(self._known, rows["ip"])) & ~self._site.local_of(rows["ip"])
        )

    def violations(self) -> pl.DataFrame:
        """One a device: as it was seen first."""
        claims = self._unknown(self._claims.rows)
        claims = claims.with_columns(self._site.zones_of(claims["ip"]).alias("zone"))
        claims = claims.filter(pl.col("zone").is_in(self._zones))
        of_known = claims.filter(pl.col("mac").is_in(self._macs))
        strangers = claims.filter(~pl.col("mac").is_in(self._macs)).unique(
            "ip", keep="first", maintain_order=True
        )
        silent = pl.DataFrame({"ip": []}, schema={"ip": pl.Binary})
        senders = self._senders.join(pl.concat([silent, of_known.select("ip")]).unique(), on="ip", how="anti")
        seen = senders.select(
            *_SENDER,
            text=pl.format("it talks with {}", address_texts(senders["peer"])),
        )
        claimed = strangers.select(
            "ip",
            "zone",
            peer=pl.lit(NOBODY),
            port=pl.lit(0, pl.UInt16),
            ts_ns="ts_ns",
            frame="frame",
            text=pl.format(
                "{} says by {} that it is at {}",
                mac_texts(strangers["mac"]),
                pl.col("source").str.to_uppercase(),
                address_texts(strangers["ip"]),
            ),
        )
        both = pl.concat([seen, claimed])
        if both.is_empty():
            return pl.DataFrame(schema=VIOLATION)
        first = both.sort("ts_ns", "frame", "text").unique("ip", keep="first", maintain_order=True)
        rows = first.with_columns(
            client_ip="ip",
            server_ip=pl.lit(NOBODY),
            client_zone="zone",
            server_zone=pl.lit(""),
            what=pl.lit(""),
            operation=pl.lit("device.appear"),
            last_ns="ts_ns",
            nearest=pl.lit(""),
        )
        return grouped(of_device(rows), lambda examples: examples)


def _known_networks(site: CompiledSite) -> set[IpNetwork]:
    """Addresses of assets, and whatever rules and remote access name by address."""
    named = {
        name
        for conduit in site.conduits.values()
        for rule in conduit.allow
        for name in (*(rule.src or ()), *(rule.dst or ()))
        if name not in site.assets
    }
    networks = {ipaddress.ip_network(name) for name in named}
    networks |= {ipaddress.ip_network(asset.ip) for asset in site.assets.values() if asset.ip is not None}
    return networks | {source for access in site.site.remote_access for source in access.sources}
