"""SEG-10: two devices claim one address, or an address moved."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.devices import NOBODY, Claims, carrier_macs, number_of, of_device, shared
from policy.judged import Judged
from policy.prefixes import address_bytes
from policy.violations import VIOLATION, address_texts, grouped, mac_texts, zone_text
from policy.zoning import CompiledSite

#: Changes kept: those that came first.
CHANGES_LIMIT: Final = 65_536

_CHANGE: Final[dict[str, pl.DataType]] = {
    "address": pl.String(),
    "before": pl.UInt64(),
    "now": pl.UInt64(),
    "ts_ns": pl.Int64(),
    "frame": pl.UInt64(),
}
_DETAIL: Final = r"^(\S+) was at ([0-9a-f:]{17}), now at ([0-9a-f:]{17})$"


class AddressClaimedTwice(CaptureCheck):
    """Two devices that claim one address, or an address that moved to another device.

    Reports
        An address whose MAC address changes, by ARP or neighbour discovery, back and forth or once; and an
        asset's address that is claimed by another MAC address than the asset's. The MAC addresses that routers
        share (VRRP, HSRP) do not count, nor do access points that answer for others.

    Why it matters
        Who makes others believe that a controller's address is theirs receives what is meant for the
        controller, and can change it on the way.

    Example
        A laptop says again and again that the main pump's address is its own; the controller says it is not.

    Do not be fooled by
        A spare that was put in: then the change is planned, and the policy needs the new MAC address. A
        failover that does not use a shared MAC address.
    """

    id = "SEG-10"
    title = "an address that two devices claim"
    base_severity = 3
    references = ("SR 3.1",)
    techniques = ("T0830",)

    def watch(self, site: CompiledSite) -> Watch:
        """Claims, and claims that contradict earlier ones."""
        return _Contested(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The address, whose it is, and who claims it."""
        asset = site.asset_of(violation["server_ip"])
        zone = zone_text(site, violation["server_zone"])
        owner = f"{asset.label}'s address in {zone}" if asset else f"an address in {zone}"
        declared = f" The policy has it at {asset.mac}." if asset and asset.mac else ""
        return f"The device {violation['what']} claims {owner}.{declared} Seen: {violation['examples'][0]['text']}."


class _Contested(Watch):
    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._carriers = carrier_macs(site)
        owners = [
            (address_bytes(asset.ip), number_of(asset.mac))
            for asset in site.assets.values()
            if asset.ip is not None and asset.mac
        ]
        schema = {"ip": pl.Binary, "owner": pl.UInt64}
        self._owners = pl.DataFrame(owners, schema=schema, orient="row")
        self._claims = Claims()
        self._changes = pl.DataFrame(schema=_CHANGE)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._claims.add(judged.traffic.observations)
        told = judged.traffic.anomalies.filter(pl.col("kind") == "ip_conflict")
        if told.is_empty():
            return
        parts = pl.col("detail").str.extract_groups(_DETAIL)
        changes = told.select(
            address=parts.struct[0],
            before=_number(parts.struct[1]),
            now=_number(parts.struct[2]),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            frame="frame",
        ).drop_nulls()
        self._changes = (
            pl.concat([self._changes, changes]).sort("ts_ns", "frame", "address").head(CHANGES_LIMIT)
        )

    def violations(self) -> pl.DataFrame:
        """Changes and contradictions of the policy, by the address and who is not its owner."""
        rows = pl.concat([self._changed(), self._misplaced()], how="vertical")
        rows = rows.filter(~shared(pl.col("mac")) & ~pl.col("mac").is_in(self._carriers))
        # The engine tells of a change and of the claim in it: one frame, once.
        rows = rows.sort("ts_ns", "frame", "text").unique(
            ["ip", "mac", "frame"], keep="last", maintain_order=True
        )
        if rows.is_empty():
            return pl.DataFrame(schema=VIOLATION)
        own = self._claims.rows.select("mac", own="ip", own_ns="ts_ns")
        own = (
            rows.select("ip", "mac", "ts_ns")
            .unique(["ip", "mac"], keep="first", maintain_order=True)
            .join(own, on="mac", maintain_order="left_right")
            # What it says of itself later does not change who was seen to do it.
            .filter((pl.col("own") != pl.col("ip")) & (pl.col("own_ns") <= pl.col("ts_ns")))
            .unique(["ip", "mac"], keep="first", maintain_order=True)
            .select("ip", "mac", "own")
        )
        rows = rows.join(own, on=["ip", "mac"], how="left", maintain_order="left")
        rows = rows.with_columns(client_ip=pl.col("own").fill_null(NOBODY), server_ip="ip")
        rows = rows.with_columns(
            self._site.zones_of(rows["client_ip"]).alias("client_zone"),
            self._site.zones_of(rows["server_ip"]).alias("server_zone"),
            what=mac_texts(rows["mac"]),
            operation=pl.lit("device.claim"),
            last_ns="ts_ns",
            nearest=pl.lit(""),
        )
        return grouped(of_device(rows), lambda examples: examples)

    def _changed(self) -> pl.DataFrame:
        """Addresses whose MAC address changed. Whose they are the policy says, or who had them first."""
        addresses = self._changes["address"].unique()
        table = pl.DataFrame(
            {"address": addresses, "ip": [address_bytes(ipaddress.ip_address(one)) for one in addresses]},
            schema={"address": pl.String, "ip": pl.Binary},
        )
        changes = self._changes.join(table, on="address", maintain_order="left")
        changes = changes.filter(~shared(pl.col("before")) & ~shared(pl.col("now")))
        first = changes.unique("ip", keep="first", maintain_order=True).select("ip", earlier="before")
        changes = changes.join(self._owners, on="ip", how="left", maintain_order="left").join(
            first, on="ip", how="left", maintain_order="left"
        )
        owner = pl.coalesce("owner", "earlier")
        text = pl.format(
            "{} was at {}, now it is at {}",
            "address",
            mac_texts(changes["before"]),
            mac_texts(changes["now"]),
        )
        return changes.select(
            "ip",
            "ts_ns",
            "frame",
            mac=pl.when(pl.col("now") == owner).then("before").otherwise("now"),
            text=text,
        )

    def _misplaced(self) -> pl.DataFrame:
        """Claims of an asset's address by a MAC address that is not the asset's."""
        claims = self._claims.rows.join(self._owners, on="ip", maintain_order="left")
        claims = claims.filter(pl.col("mac") != pl.col("owner"))
        text = pl.format(
            "by {} {} is at {}",
            pl.col("source").str.to_uppercase(),
            address_texts(claims["ip"]),
            mac_texts(claims["mac"]),
        )
        return claims.select("ip", "ts_ns", "frame", "mac", text=text)


def _number(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(":", "").str.to_integer(base=16, dtype=pl.UInt64, strict=False)
