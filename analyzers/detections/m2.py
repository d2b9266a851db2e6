"""M2: a first-time Modbus client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.learned import NewDetection
from analyzers.detections.modbus_rows import modbus, request_text
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class ModbusNewClient(NewDetection):
    """A host that speaks Modbus for the first time.

    Reports
        Modbus requests of a client that the baseline does not know to have spoken Modbus, with any server; one
        finding a server. Without a baseline it finds nothing, and the report says so.

    Why it matters
        Modbus asks nobody who they are: whoever reaches the port is obeyed. The masters of a plant are few and the
        same for years.

    Benign causes
        A new or exchanged station; an engineer's laptop; a scanner of assets.

    Evidence
        The requests with their frames.

    How to tune
        Accept the client with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`).
    """

    id = "M2"
    title = "a first-time Modbus client"
    base_severity = 3
    reads = ("modbus",)
    techniques = ("T0848",)
    fact = "modbus.function"
    by = ("client_ip",)

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Every request."""
        return modbus(traffic.modbus.filter(pl.col("outcome") != "orphan"), "read"), request_text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often it asked, and first what."""
        return (
            f"The client is not known to speak Modbus with anybody. It asked {violation['count']} ×, first: "
            f"{violation['examples'][0]['text']}."
        )
