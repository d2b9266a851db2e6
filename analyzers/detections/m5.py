"""M5: communications restarted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.modbus_rows import ANSWERED, modbus, request_text
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusRestart(RowDetection):
    """A Modbus device told to restart its communications.

    Reports
        Function 8 with sub-function 1 (Restart Communications Option), answered or not.

    Why it matters
        The device stops talking while it restarts, and forgets its counters and its event log: an outage, and traces
        gone.

    Benign causes
        A technician brings a device back out of listen-only mode; some gateways send it after a fault.

    Evidence
        The requests with their frames, and whether the device answered.

    How to tune
        It has no threshold. Declare a change window while a device is serviced, or switch it off.
    """

    id = "M5"
    title = "a Modbus device told to restart its communications"
    base_severity = 4
    reads = ("modbus",)
    techniques = ("T0816",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Requests of function 8, sub-function 1."""
        rows = traffic.modbus.filter((pl.col("function") == 8) & (pl.col("sub_function") == 1))
        return violations_of(modbus(rows, "restart", confirmed=ANSWERED), request_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was asked, and how often."""
        return (
            f"The client sent {violation['count']} × function 8, sub-function 1: the device restarts its "
            "communications port and clears its counters and event log."
        )
