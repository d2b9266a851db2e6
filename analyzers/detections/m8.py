"""M8: units and functions probed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.modbus_rows import Answering, modbus, request_text
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_SLOTS: Final = 6
_NO_FUNCTION: Final = 1
#: Gateway path unavailable, gateway target failed to respond.
_NO_UNIT: Final = (10, 11)


class ModbusProbing(Detection):
    """Units or function codes of a Modbus server probed.

    Reports
        Within 60 seconds one client asks a server for many units that are not there (exceptions 0A and 0B, or no
        answer from a server that answers others) or for many function codes that it does not have (exception 01).
        What is answered is not counted: a gateway's client that polls thirty drives probes nothing.

    Why it matters
        So a stranger learns what is behind a gateway and what a device can be made to do.

    Benign causes
        An engineering tool that looks for drives on a serial line; a gateway whose whole line is down.

    Evidence
        The requests with their frames and exceptions.

    How to tune
        `detections.M8.units` and `detections.M8.functions`.
    """

    id = "M8"
    title = "a Modbus server's units or function codes probed"
    base_severity = 3
    reads = ("modbus",)
    techniques = ("T0846",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._units = Bursts(self.settings.M8.units, slots=_SLOTS)
        self._functions = Bursts(self.settings.M8.functions, slots=_SLOTS)
        self._answering = Answering()

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.modbus
        self._answering.add(traffic)
        silent = (pl.col("outcome") == "unanswered") & ~pl.col("after_gap")
        no_unit = pl.col("exception_code").is_in(_NO_UNIT) | silent
        units = modbus(rows.filter(no_unit), "diagnose", what=pl.lit("units"))
        self._units.add(units, request_text(), pl.col("unit"))
        no_function = rows.filter(pl.col("exception_code") == _NO_FUNCTION)
        functions = modbus(no_function, "diagnose", what=pl.lit("functions"))
        self._functions.add(functions, request_text(), pl.col("function"))

    def violations(self) -> pl.DataFrame:
        """Both, of servers that answer."""
        return pl.concat([self._answering.of(self._units.violations()), self._functions.violations()])

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What was probed, and the threshold."""
        what = violation["what"]
        least = self.settings.M8.units if what == "units" else self.settings.M8.functions
        return (
            f"The client asked for at least {least} different {what} that the server does not have, within 60 "
            f"seconds; {violation['count']} such requests in all."
        )
