"""M12: a controller programmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.modbus_rows import ANSWERED, modbus, request_text
from analyzers.detections.rows import violations_of
from policy.programming import is_programming, naming_function
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusProgramming(RowDetection):
    """A controller programmed by a vendor's function, or its files written.

    Reports
        Function 90 and function 21 (Write File Record), whatever became of them; any other function code that the
        standard does not define, unless the device refused it as unknown (exception 01: that is probing, M8). A
        function that a rule of the policy lists by its number is what the rule is for, and is left out.

    Why it matters
        Private functions carry a vendor's engineering protocol: start, stop, download of a program. The standard says
        nothing of them, so no register range can limit them.

    Benign causes
        Engineering within a change; recipes written as file records; a vendor's monitoring tool.

    Evidence
        The requests with their frames. Their bytes are in the Modbus rows.

    How to tune
        It has no threshold. List the function in the rule that allows it, or declare a change window for engineering
        work: a window lowers the severity and tags it.
    """

    id = "M12"
    title = "a controller programmed by a private Modbus function, or its files written"
    base_severity = 4
    reads = ("modbus",)
    possible_techniques = ("T0843",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Private functions that were not refused as unknown, and file records written."""
        found = modbus(traffic.modbus.filter(is_programming()), "program", confirmed=ANSWERED)
        return violations_of(found.filter(~naming_function(self.site, found)), request_text())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client used functions that program a controller {violation['count']} ×, first: "
            f"{violation['examples'][0]['text']}. Function 21 writes records of the device's files; 90 is a vendor's "
            "own, known for downloading programs; what else the standard does not define is a vendor's own too."
        )
