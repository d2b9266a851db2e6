"""SEG-07: one device in two zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.devices import Claims, carrier_macs, of_device
from policy.judged import Judged
from policy.violations import VIOLATION, address_texts, grouped, mac_texts, zone_text
from policy.zoning import CompiledSite


class TwoZones(CaptureCheck):
    """One device that says of itself to be in two zones.

    Reports
        A MAC address that claims addresses of two zones, by ARP, neighbour discovery or DHCP. Access points of
        conduits, assets that are routers, firewalls or switches, and the MAC addresses that routers share
        (VRRP, HSRP) are where they should be and are not reported.

    Why it matters
        A device with a foot in two zones is a way from one to the other that no access point looks at: a second
        network card, a laptop that is carried from the office to the plant.

    Example
        The engineering station has an address of the control room, and another one of the pump hall.

    Do not be fooled by
        Routers and firewalls that the policy does not name, network cards that work as a team, a device that
        was moved for good.
    """

    id = "SEG-07"
    title = "a device in two zones"
    base_severity = 3
    references = ("SR 5.1",)
    techniques = ("T0884",)

    def watch(self, site: CompiledSite) -> Watch:
        """Who claims what."""
        return _Claimed(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The MAC address and the two zones."""
        return (
            f"The device {violation['what']} claims addresses of {zone_text(site, violation['client_zone'])} and of "
            f"{zone_text(site, violation['server_zone'])}. What goes from one of them to the other has to pass an "
            "access point, and this device has no need to."
        )


class _Claimed(Watch):
    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._carriers = carrier_macs(site)
        self._claims = Claims()

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._claims.add(judged.traffic.observations)

    def violations(self) -> pl.DataFrame:
        """Each zone after the first in which a device claims an address: that address, and its first one."""
        claims = self._claims.rows.filter(~pl.col("mac").is_in(self._carriers))
        claims = claims.with_columns(self._site.zones_of(claims["ip"]).alias("zone")).filter(
            pl.col("zone") != ""
        )
        firsts = claims.unique(["mac", "zone"], keep="first", maintain_order=True)
        home = firsts.unique("mac", keep="first", maintain_order=True)
        other = firsts.join(home, on=["mac", "zone"], how="anti", maintain_order="left")
        if other.is_empty():
            return pl.DataFrame(schema=VIOLATION)
        both = other.join(home, on="mac", suffix="_home", maintain_order="left")
        rows = both.with_columns(
            client_ip="ip_home",
            server_ip="ip",
            client_zone="zone_home",
            server_zone="zone",
            what=mac_texts(both["mac"]),
            operation=pl.lit("device.zone"),
            last_ns="ts_ns",
        )
        return grouped(of_device(rows), _described)


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    home, other = address_texts(rows["client_ip"]), address_texts(rows["server_ip"])
    text = pl.format(
        "{} is at {} (by {}, frame {}), and at {} (by {})",
        "what", home, "source_home", "frame_home", other, "source",
    )  # fmt: skip
    return rows.with_columns(text=text, nearest=pl.lit(""))
