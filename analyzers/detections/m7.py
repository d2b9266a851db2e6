"""M7: a device asked who it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.modbus_rows import modbus, request_text
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusIdentityRead(RowDetection):
    """A Modbus device's identity read by a host outside the inventory.

    Reports
        Function 43 with MEI type 14 (Read Device Identification) or function 17 (Report Server ID), asked by a host
        that the policy declares no asset for. A device that lacks the function tells nothing: M8 counts that.

    Why it matters
        Vendor, model and firmware tell which weaknesses a device has. It is the first question of a scanner.

    Benign causes
        An asset scanner or an engineering station that is not declared yet.

    Evidence
        The requests with their frames, and whether they were answered.

    How to tune
        Declare the host as an asset of the policy. There is no threshold: one read is enough.
    """

    id = "M7"
    title = "a Modbus device's identity read by a host outside the inventory"
    base_severity = 2
    reads = ("modbus",)
    techniques = ("T0888",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Identity reads of clients that are no declared assets."""
        function = pl.col("function")
        asks = (function == 17) | ((function == 43) & (pl.col("sub_function") == 14))
        known = list(self.site.assets_by_address)
        lacks = pl.col("exception_code").fill_null(0) == 1
        strange = ~pl.col("client_ip").is_in(known) & (pl.col("outcome") != "orphan")
        rows = traffic.modbus.filter(asks & strange & ~lacks)
        return violations_of(modbus(rows, "diagnose"), request_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Who asked, and that nobody knows them."""
        return (
            f"A host that the policy does not declare asked {violation['count']} × for the device's identity "
            "(functions 43/14 and 17)."
        )
