"""Devices as the wire shows them: which MAC address claimed which IP address, and when first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.violations import HIGH, ROW
from policy.zoning import CompiledSite

#: Claims kept: those that came first.
CLAIMS_LIMIT: Final = 65_536
#: Stands for no address, or many.
NOBODY: Final = bytes(16)

CLAIM: Final[dict[str, pl.DataType]] = {
    "mac": pl.UInt64(),
    "ip": pl.Binary(),
    #: The protocol that told it: arp, ndp, dhcp, lldp …
    "source": pl.String(),
    "ts_ns": pl.Int64(),
    "frame": pl.UInt64(),
}

#: Addresses that several devices share in turn, by their first octets: VRRP (RFC 9568, 7.3), HSRP 1 and 2.
_SHARED: Final = (
    (0x00005E000100, 0xFFFFFFFFFF00),
    (0x00005E000200, 0xFFFFFFFFFF00),
    (0x00000C07AC00, 0xFFFFFFFFFF00),
    (0x00000C9FF000, 0xFFFFFFFFF000),
)
#: Devices that are in several zones because that is what they are for.
_CARRIERS: Final = ("router", "firewall", "switch")


class Claims:
    """Who says to be at which address, the first time that each is said."""

    def __init__(self) -> None:
        self.rows = pl.DataFrame(schema=CLAIM)

    def add(self, observations: pl.DataFrame) -> None:
        """Take the observations of a batch."""
        told = observations.filter(
            (pl.col("kind") == "address") & (pl.col("mac") != 0) & (pl.col("ip") != NOBODY)
        ).select("mac", "ip", "source", pl.col("ts").dt.epoch("ns").alias("ts_ns"), "frame")
        told = told.filter(~shared(pl.col("mac")))
        if told.is_empty():
            return
        self.rows = (
            pl.concat([self.rows, told])
            .sort("ts_ns", "frame", "mac", "ip")
            .unique(["mac", "ip"], keep="first", maintain_order=True)
            .head(CLAIMS_LIMIT)
        )


def shared(mac: pl.Expr) -> pl.Expr:
    """Whether a MAC address is one that devices take over from each other."""
    return pl.any_horizontal((mac & pl.lit(mask, pl.UInt64)) == first for first, mask in _SHARED)


def number_of(mac: str) -> int:
    """A MAC address of the policy as the wire tables have it."""
    return int(mac.replace(":", ""), 16)


def declared_macs(site: CompiledSite) -> list[int]:
    """The MAC addresses of assets and access points."""
    return sorted(
        {number_of(asset.mac) for asset in site.assets.values() if asset.mac} | set(carrier_macs(site))
    )


def carrier_macs(site: CompiledSite) -> list[int]:
    """The MAC addresses of access points, routers, firewalls and switches."""
    points = {number_of(mac) for one in site.conduits.values() if one.eap for mac in one.eap.macs}
    assets = {number_of(one.mac) for one in site.assets.values() if one.mac and one.role in _CARRIERS}
    return sorted(points | assets)


#: What a violation that is of a device has in common with those of conversations.
_OF_DEVICE: Final[Mapping[str, Any]] = {
    "ip_proto": 0,
    "server_port": 0,
    "conduit": "",
    "reverse_conduit": "",
    "confirmed": False,
    "confidence_rank": HIGH,
    "service": "",
    "decoded": False,
}


def of_device(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a device in; with the columns of ROW that only conversations have a value for out."""
    return rows.with_columns(
        pl.lit(value, dtype=ROW[name]).alias(name)
        for name, value in _OF_DEVICE.items()
        if name not in rows.columns
    )
