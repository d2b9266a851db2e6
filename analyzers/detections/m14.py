"""M14: a server that falls silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.modbus_rows import Answering, modbus, request_text
from policy.traffic import Traffic
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite

_SLOTS: Final = 5


class ModbusUnanswered(Detection):
    """A Modbus server that had answered a client and no longer does.

    Reports
        Within five minutes, several requests without an answer, by a server that had answered this client before.
        What a gap in the capture may have swallowed is not counted.

    Why it matters
        A device that no longer reports is down, or its reports are kept from whoever needs them.

    Benign causes
        The device restarts or is switched off; the network loses it. SLA measurements say what the network did.

    Evidence
        The requests with their frames. M5 and M6 tell whether somebody told the device to be silent.

    How to tune
        `detections.M14.requests`; declare a change window for planned stops.
    """

    id = "M14"
    title = "a Modbus server that no longer answers"
    base_severity = 3
    reads = ("modbus",)
    possible_techniques = ("T0804",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._silent = Bursts(self.settings.M14.requests, slots=_SLOTS, slot_ns=MINUTE_NS)
        self._answering = Answering()

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        self._answering.add(traffic)
        # Function 8, sub-function 4 is answered by nobody who heeds it: that is M6.
        listen_only = (pl.col("function") == 8) & (pl.col("sub_function").fill_null(0) == 4)
        unanswered = (pl.col("outcome") == "unanswered") & ~pl.col("after_gap")
        self._silent.add(modbus(traffic.modbus.filter(unanswered & ~listen_only), "read"), request_text())

    def violations(self) -> pl.DataFrame:
        """Those of servers that had answered before."""
        return self._answering.of(self._silent.violations())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many, and that the server used to answer."""
        return (
            f"{violation['count']} requests of this client went unanswered, at least "
            f"{self.settings.M14.requests} of them within five minutes, by a server that had answered it before."
        )
