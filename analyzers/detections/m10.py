"""M10: a device that turns requests down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.modbus_rows import modbus, request_text
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import MINUTE_NS, SUBJECT
from policy.zoning import CompiledSite

_HOUR_SLOTS: Final = 60
#: Server device failure, server device busy, gateway path unavailable, gateway target failed to respond.
_GRAVE: Final = (4, 6, 10, 11)


class ModbusExceptions(Detection):
    """Modbus exceptions: many, or of the grave kind.

    Reports
        More exceptions within an hour than the threshold, whatever their code; or any of 04 (device failure), 06
        (busy), 0A and 0B (the gateway does not reach the device).

    Why it matters
        A device that fails or is kept busy is a fault or a denial of service; the network alone cannot tell which.

    Benign causes
        Maintenance of a drive behind a gateway; a client asking for registers that a new program no longer has.

    Evidence
        The refused requests with their codes and frames.

    How to tune
        `detections.M10.per_hour` for the codes that are not grave; one grave code is enough.
    """

    id = "M10"
    title = "Modbus exceptions, many or grave"
    base_severity = 2
    reads = ("modbus",)
    possible_techniques = ("T0814",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._all = Bursts(self.settings.M10.per_hour + 1, slots=_HOUR_SLOTS, slot_ns=MINUTE_NS)
        self._grave = Gathered()

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = modbus(traffic.modbus.filter(pl.col("outcome") == "exception"), "read")
        self._all.add(rows, request_text())
        self._grave.add(violations_of(rows.filter(pl.col("exception_code").is_in(_GRAVE)), request_text()))

    def violations(self) -> pl.DataFrame:
        """Minutes of a storm with all their exceptions; of the others the grave ones."""
        storms = self._all.violations()
        grave = self._grave.all().join(storms, on=[*SUBJECT, "minute"], how="anti")
        return pl.concat([storms, grave])

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many, and what makes them a finding."""
        return (
            f"The device answered {violation['count']} requests of this client with an exception: more than "
            f"{self.settings.M10.per_hour} within an hour, or codes 04, 06, 0A or 0B, which say that a device failed, "
            "was busy or could not be reached."
        )
