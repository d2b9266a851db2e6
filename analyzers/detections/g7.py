"""G7: another identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.rows import NOBODY, told, violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: What a device says it is. Names that people give are not among them.
_IDENTITY: Final = ("vendor", "model", "firmware", "hardware", "serial")
_DEVICE: Final = {"server_ip": pl.Binary(), "what": pl.String()}


class IdentityChanged(Detection):
    """A device's identity or firmware string changed.

    Reports
        A device that says another vendor, model, firmware, hardware or serial number than it said before, by the same
        protocol. Devices that the policy calls gateways are left out: they speak for others.

    Why it matters
        Another firmware is another device: updated, exchanged, or made to do something else.

    Benign causes
        An update; a device exchanged for a spare; several devices behind one address that nobody calls a gateway.

    Evidence
        The frame that told the new value, with both values.

    How to tune
        It has no threshold. Declare a change window for updates; give gateways their role.
    """

    id = "G7"
    title = "a device's identity or firmware string changed"
    base_severity = 3
    reads = ("observations",)
    possible_techniques = ("T0857",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._gathered = Gathered()
        self._values = FirstTimes({**_DEVICE, "value": pl.String()})
        self._gateways = [
            address for address, asset in site.assets_by_address.items() if asset.role == "gateway"
        ]

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.observations.filter(
            pl.col("kind").is_in(_IDENTITY) & (pl.col("ip") != NOBODY) & ~pl.col("ip").is_in(self._gateways)
        )
        if rows.is_empty():
            return
        asked = pl.col("client_ip").fill_null(NOBODY) != pl.col("ip")
        placed = rows.with_columns(
            client_ip=pl.when(asked).then("client_ip").otherwise("server_ip"),
            client_zone=pl.when(asked).then("client_zone").otherwise("server_zone"),
            server_ip="ip",
            server_zone=self.site.zones_of(rows["ip"]),
            role_source=pl.lit("syn"),
            told_by=pl.col("source").cast(pl.String),
            value=pl.format("{}: {}", pl.col("kind").cast(pl.String), "value"),
        )
        # One subject a device and protocol while it is gathered; `what` becomes the kind alone in the end.
        what = pl.format("{} by {}", pl.col("kind").cast(pl.String), "told_by")
        said = told(placed, "", "identity", what=what).with_columns(service="told_by")
        self._values.add(said, pl.col("ts_ns"))
        self._gathered.add(violations_of(said, pl.col("value")))

    def violations(self) -> pl.DataFrame:
        """What devices said after they had said something else."""
        ordered = self._values.all().sort("seen_ns", "value")
        values = ordered.group_by(*_DEVICE, maintain_order=True).agg("value", "seen_ns")
        changed = values.filter(pl.col("value").list.len() > 1).with_columns(
            since=pl.col("seen_ns").list.get(1)
        )
        found = self._gathered.all().join(changed.select(*_DEVICE, "since", "value"), on=list(_DEVICE))
        # A minute that holds both the old and the new value begins with the old one.
        return found.filter(pl.col("last_ns") >= pl.col("since")).select(self._gathered.all().columns)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The values, in the order in which they were told."""
        told_values = [example["text"] for example in violation["examples"]]
        return f"The device now says {'; '.join(told_values)}, and said something else before."
