"""M4: outputs toggled, or written en masse."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, cast

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.bursts import Bursts
from analyzers.detections.in_order import InOrder
from analyzers.detections.modbus_rows import ANSWERED, modbus, request_text
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import added_up
from policy.zoning import CompiledSite

_WRITE_COIL, _WRITE_COILS = 5, 15
#: Of a minute, in slots of ten seconds.
_SLOTS: Final = 6
_COIL: Final = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "server_port": pl.UInt16(),
    "unit": pl.UInt8(),
    "address": pl.UInt16(),
}
#: Coils whose last value is remembered.
_COILS_LIMIT: Final = 262_144


class ModbusOutputsForced(Detection):
    """A Modbus output toggled, or many outputs written at once.

    Reports
        One coil switched on and off by one client many times within a minute (function 5); and a request that switches
        many coils all on or all off (function 15). Whether the device confirmed it is told.

    Why it matters
        Switching an output again and again wears out what hangs on it, and switching all of them is how a process is
        brought down that nobody understands.

    Benign causes
        A start-up that sets everything to a known state; a test of outputs; watchdog coils that a client toggles to
        say that it is there.

    Evidence
        The requests with their frames and values.

    How to tune
        `detections.M4.toggles`, `detections.M4.outputs`; a change window for tests.
    """

    id = "M4"
    title = "Modbus outputs toggled, or written en masse"
    base_severity = 4
    reads = ("modbus",)
    techniques = ("T0806",)

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._toggled = Bursts(self.settings.M4.toggles, slots=_SLOTS)
        self._masses = Gathered()
        self._last = pl.DataFrame(schema={**_COIL, "value": pl.Int64()})
        self._writes = InOrder(self.settings.kept, "request_frame")

    @property
    def evicted(self) -> int:
        """Writes that came too late to be put in order."""
        return self._writes.late

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = traffic.modbus
        # An image of many outputs that differ is how a controller is run; all alike is none.
        alike = pl.col("values_written").list.n_unique() == 1
        enough = pl.col("quantity").fill_null(0) >= self.settings.M4.outputs
        many = rows.filter((pl.col("function") == _WRITE_COILS) & enough & alike)
        mass = modbus(many, "write", what=pl.lit("many"), confirmed=ANSWERED)
        self._masses.add(violations_of(mass, request_text()))
        single = rows.filter((pl.col("function") == _WRITE_COIL) & pl.col("address").is_not_null())
        single = single.with_columns(
            ts_ns=pl.col("ts").dt.epoch("ns"), value=pl.col("values_written").list.first().cast(pl.Int64)
        )
        newest = rows["ts"].dt.epoch("ns").max()
        self._writes.add(single.filter(pl.col("value").is_not_null()), cast("int | None", newest))
        if (over := self._writes.take()) is not None:
            self._last = _toggled(self._toggled, over, self._last)

    def violations(self) -> pl.DataFrame:
        """Requests for many outputs, and outputs that were toggled: those that are in order, and as it looks now."""
        toggled = self._toggled
        if (waiting := self._writes.waiting()) is not None:
            toggled = deepcopy(toggled)
            _toggled(toggled, waiting, self._last)
        return added_up(self._masses.all(), toggled.violations())

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Which of the two it is, how often, and the first of it."""
        first = violation["examples"][0]["text"]
        if violation["what"] == "many":
            return f"The client wrote many outputs with one request, {violation['count']} ×, first: {first}."
        return (
            f"The client switched {violation['what']} to the other value {violation['count']} ×, at least "
            f"{self.settings.M4.toggles} of them within a minute; first: {first}."
        )


def _toggled(toggles: Bursts, writes: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Add the writes, in order, of another value than the last one that was written there; the last ones now."""
    known = writes.select(*_COIL, "value").with_row_index("row").with_columns(row=pl.col("row") + 1)
    both = pl.concat([last.with_columns(row=pl.lit(0, pl.UInt32)).select(known.columns), known])
    both = both.with_columns(before=pl.col("value").shift(1).over(*_COIL))
    differs = pl.col("before").is_not_null() & (pl.col("before") != pl.col("value"))
    changed = writes[both.filter((pl.col("row") > 0) & differs)["row"] - 1]
    what = pl.format("unit {}, output {}", "unit", "address")
    told = modbus(changed, "write", what=what, confirmed=ANSWERED)
    toggles.add(told, pl.format("{}, value {}", request_text(), "value"))
    return both.unique(list(_COIL), keep="last", maintain_order=True).select(last.columns).tail(_COILS_LIMIT)
