"""M6: a device silenced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.modbus_rows import modbus, request_text
from analyzers.detections.rows import violations_of
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusListenOnly(RowDetection):
    """A Modbus device forced to listen only.

    Reports
        Function 8 with sub-function 4 (Force Listen Only Mode). No answer belongs to it, so none is waited for.

    Why it matters
        From then on the device answers nobody and does nothing that it is told, until it is restarted: its operators
        are blind and without control.

    Benign causes
        Tests of a device on a bench; hardly any in operation.

    Evidence
        The requests with their frames. M14 tells whether requests went unanswered afterwards.

    How to tune
        It has no threshold. Declare a change window while a device is tested, or switch it off.
    """

    id = "M6"
    title = "a Modbus device forced to listen only"
    base_severity = 5
    reads = ("modbus",)
    techniques = ("T0814",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Requests of function 8, sub-function 4."""
        rows = traffic.modbus.filter((pl.col("function") == 8) & (pl.col("sub_function") == 4))
        return violations_of(modbus(rows, "stop"), request_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was asked, and what it does."""
        return (
            f"The client sent {violation['count']} × function 8, sub-function 4. A device that heeds it answers "
            "nobody and does nothing that it is told, until it is restarted."
        )
