"""M1: a write from a client that never wrote there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.baseline.modbus_facts import ranges_written
from analyzers.detections.learned import NewDetection
from analyzers.detections.modbus_rows import ANSWERED, modbus, request_text
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusNewWriter(NewDetection):
    """A write from a client that never wrote there.

    Reports
        Modbus functions 5, 6, 15, 16, 21, 22 and 23 of a client to coils, registers or files of a server that the
        baseline does not know it to write, whatever became of the request. A write is known when all that it touches
        is. Without a baseline it finds nothing, and the report says so.

    Why it matters
        What changes a process is a write, and in a plant the same few clients write the same few places for years.

    Benign causes
        A setpoint that is changed once in a season; a screen with a new button; a station exchanged for a spare.

    Evidence
        The requests with their frames, and whether they were answered.

    How to tune
        Accept the fact with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`). A
        change window lowers the severity and tags it.
    """

    id = "M1"
    title = "a Modbus write from a client that never wrote there"
    base_severity = 4
    reads = ("modbus",)
    techniques = ("T0855",)
    fact = "modbus.write"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Writes with what they touch."""
        asked = traffic.modbus.filter(pl.col("outcome") != "orphan")
        rows = modbus(ranges_written(asked), "write", what=pl.col("what"), confirmed=ANSWERED)
        return rows, request_text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client wrote {violation['count']} × where it is not known to write, first: "
            f"{violation['examples'][0]['text']}."
        )
