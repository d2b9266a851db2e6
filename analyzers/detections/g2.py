"""G2: an address with two owners."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.rows import NOBODY, told
from analyzers.detections.seen import FirstTimes
from policy.prefixes import address_bytes
from policy.traffic import Traffic
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite

_SLOTS: Final = 10
_SAID: Final = r"^(\S+) was at (\S+), now at (\S+)$"
_MACS: Final = {"server_ip": pl.Binary(), "mac": pl.String()}


class AddressFlipping(Detection):
    """An address that changes its MAC back and forth.

    Reports
        Within ten minutes, several changes of the MAC address that an IP address is announced with, by ARP or
        neighbour discovery, of which at least one leads back to a MAC that it had before.

    Why it matters
        So it looks when somebody puts a machine between two others: it claims the address, its owner claims it back.

    Benign causes
        Two devices configured with one address; a cluster that fails over and back and does not use a virtual MAC.

    Evidence
        The announcements with both MACs and their frames. Who is at the new MAC is for the inventory to tell.

    How to tune
        `detections.G2.changes`.
    """

    id = "G2"
    title = "an address that changes its MAC back and forth"
    base_severity = 4
    reads = ("anomalies",)
    techniques = ("T0830",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._changes = Bursts(self.settings.G2.changes, slots=_SLOTS, slot_ns=MINUTE_NS)
        self._left = FirstTimes(_MACS)
        # The last time, as the first of the negated ones.
        self._taken = FirstTimes(_MACS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.anomalies.filter(pl.col("kind") == "ip_conflict").with_columns(
            said=pl.col("detail").str.extract_groups(_SAID)
        )
        rows = rows.unnest("said").rename({"1": "address", "2": "was", "3": "now"}).drop_nulls("address")
        if rows.is_empty():
            return
        addresses = _packed(rows["address"])
        placed = rows.with_columns(
            addresses,
            client_ip=pl.lit(NOBODY),
            client_zone=pl.lit(""),
            server_zone=self.site.zones_of(addresses),
            # Both were told by name.
            role_source=pl.lit("syn"),
        )
        changes = told(placed, "arp", "announce")
        at = pl.col("ts_ns")
        self._left.add(changes.with_columns(mac="was"), at)
        self._taken.add(changes.with_columns(mac="now"), -at)
        self._changes.add(changes, pl.col("detail"))

    def violations(self) -> pl.DataFrame:
        """Changes of addresses that went back to a MAC they had left."""
        both = self._left.all().join(self._taken.all(), on=list(_MACS), how="inner", suffix="_last")
        back = both.filter(-pl.col("seen_ns_last") > pl.col("seen_ns"))
        return self._changes.violations().join(back, on="server_ip", how="semi")

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first change."""
        return (
            f"The address changed its MAC {violation['count']} × and went back to one it had before; first: "
            f"{violation['examples'][0]['text']}."
        )


def _packed(texts: pl.Series) -> pl.Series:
    """Addresses as text in, as the wire tables have them out; one conversion a distinct address."""
    distinct = texts.unique()
    packed = [address_bytes(ipaddress.ip_address(text)) for text in distinct]
    table = pl.DataFrame({"address": distinct, "server_ip": pl.Series(packed, dtype=pl.Binary)})
    return (
        texts.rename("address")
        .to_frame()
        .join(table, on="address", how="left", maintain_order="left")["server_ip"]
    )
