"""M9: registers swept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.modbus_rows import modbus, request_text
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6
_ILLEGAL_ADDRESS: Final = 2


class ModbusRegisterSweep(Detection):
    """A Modbus device's registers swept.

    Reports
        Within 60 seconds one client asks for many different addresses that the device refuses with exception 02
        (illegal data address).

    Why it matters
        Whoever knows a plant knows its registers. Whoever looks for them is drawing the map that a precise write
        needs.

    Benign causes
        A client configured for another device's registers, or after a program change: then the same few addresses
        come back, and M10 reports them if anything does.

    Evidence
        The refused requests with their addresses and frames.

    How to tune
        `detections.M9.addresses`.
    """

    id = "M9"
    title = "a Modbus device's registers swept"
    base_severity = 3
    reads = ("modbus",)
    techniques = ("T0861",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._refused = Bursts(self.settings.M9.addresses, slots=_SLOTS)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.modbus.filter(
            (pl.col("exception_code") == _ILLEGAL_ADDRESS) & pl.col("address").is_not_null()
        )
        self._refused.add(modbus(rows, "read"), request_text(), pl.format("{}/{}", "unit", "address"))

    def violations(self) -> pl.DataFrame:
        """Sweeps that reached the threshold."""
        return self._refused.violations()

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many addresses, and the threshold."""
        return (
            f"The client asked for at least {self.settings.M9.addresses} different addresses that the device does "
            f"not have, within 60 seconds; {violation['count']} requests were refused with exception 02."
        )
