"""G1: a scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.flow_rows import knock_text, knocks, with_target
from analyzers.detections.rows import NOBODY
from analyzers.detections.totals import WithFirst
from policy.services import SERVICES
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 12
#: Ports on which devices are asked for values or told what to do.
_CONTROL_PORTS: Final = sorted(
    {
        port
        for service in SERVICES
        if "program" in service.operations or service.name in ("modbus", "opcua")
        for port in service.ports
    }
)


class Scan(Detection):
    """A scan: one client knocks at many addresses, many ports, or many controllers.

    Reports
        Within two minutes, one client begins conversations that carry nothing with many addresses, on many ports of
        one address, or on ports of control protocols at many addresses. What carries payload is a conversation, not a
        knock: a station that polls a hundred controllers scans nothing.

    Why it matters
        It is how somebody who is new to a network finds out what is there.

    Benign causes
        Monitoring that pings everything, an asset scanner, a vulnerability scan that was agreed on.

    Evidence
        The first knocks with their targets and frames, and how many there were.

    How to tune
        `detections.G1.addresses`, `detections.G1.ports`, `detections.G1.controllers`; `detections.kept`, where a flood
        of forged sources may hide a slow scan.
    """

    id = "G1"
    title = "a scan"
    base_severity = 4
    reads = ("flow_minutes",)
    techniques = ("T0846",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        limits, kept = self.settings.G1, self.settings.kept
        self._addresses = Bursts(limits.addresses, slots=_SLOTS, totals=WithFirst(), kept=kept)
        self._ports = Bursts(limits.ports, slots=_SLOTS, totals=WithFirst(), kept=kept)
        self._controllers = Bursts(limits.controllers, slots=_SLOTS, totals=WithFirst(), kept=kept)

    @property
    def evicted(self) -> int:
        """Sources forgotten for lack of room, by whichever count forgot most."""
        return max(kind.evicted for kind in (self._addresses, self._ports, self._controllers))

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = with_target(knocks(self.site, traffic.flow_minutes))
        no_port, nobody = pl.lit(0, pl.UInt16), pl.lit(NOBODY)
        many = rows.with_columns(
            what=pl.lit("addresses"), server_ip=nobody, server_port=no_port, conduit=pl.lit("")
        )
        self._addresses.add(many, knock_text(), pl.col("server"))
        ports = rows.filter(pl.col("door") != 0).with_columns(what=pl.lit("ports"), server_port=no_port)
        self._ports.add(ports, knock_text(), pl.col("door"))
        controllers = many.filter(pl.col("door").is_in(_CONTROL_PORTS)).with_columns(
            what=pl.lit("controllers")
        )
        self._controllers.add(controllers, knock_text(), pl.col("server"))

    def violations(self) -> pl.DataFrame:
        """Scans of each kind."""
        kinds = (self._addresses, self._ports, self._controllers)
        return pl.concat([kind.violations() for kind in kinds])

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says of what."""
        return f"a scan of {violation['what']}"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many of what, and the threshold."""
        what = violation["what"]
        least = getattr(self.settings.G1, what)
        of = {"addresses": "addresses", "ports": "ports of one address", "controllers": "controllers"}[what]
        return (
            f"The client knocked {violation['count']:,} × without saying anything, at {least} or more different {of} "
            "within two minutes."
        )
