"""M3: a value that is not usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.baseline.bounds import PLACE, bounds_of
from analyzers.baseline.comparing import Baseline
from analyzers.baseline.memory import Memory
from analyzers.baseline.modbus_facts import places_written
from analyzers.detections.learned import LearnedDetection
from analyzers.detections.modbus_rows import ANSWERED, modbus
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import VIOLATION, merged
from policy.zoning import CompiledSite

_WRITER: Final = ["client_ip", *PLACE]
#: A value and the one before it, in `what` while they are gathered.
_VALUE: Final = r"^(.*) = (\d+) after (-|\d+)$"


class ModbusUnusualValue(LearnedDetection):
    """A register set to a value that it usually does not have, or by a step that is not usual.

    Reports
        A value written to a holding register that lies outside what the baseline saw written there, whoever wrote, or
        that differs from the value before by more than any step it saw. Only registers with enough learned writes
        are judged. A value that stood alone while it was learned counts for nothing. Coils are left out: they have
        two values.

    Why it matters
        A client that may write can do harm with the value alone: a speed, a limit, a dose.

    Benign causes
        Another product, another season, a start after a standstill; a register that holds a counter or a time.

    Evidence
        The writes with their values and frames, and the bounds.

    How to tune
        `detections.M3.writes` and `detections.M3.margin_percent`. Accept values with who and why (`geophone baseline
        accept --values`).
    """

    id = "M3"
    title = "a register set to an unusual value"
    base_severity = 4
    reads = ("modbus",)
    techniques = ("T0836",)

    def __init__(self, site: CompiledSite, memory: Memory) -> None:
        super().__init__(site, memory)
        self._gathered = Gathered()
        self._last = pl.DataFrame(schema={"client_ip": pl.Binary(), **PLACE, "before": pl.Int64()})

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        rows = places_written(traffic.modbus.filter(pl.col("outcome") != "orphan"))
        rows = rows.filter(pl.col("value").is_not_null() & pl.col("what").str.contains("holding"))
        if rows.is_empty() or (baseline := self.memory.baseline) is None:
            return
        rows = rows.join(self._last, on=_WRITER, how="left", maintain_order="left")
        rows = rows.with_columns(before=pl.coalesce(pl.col("value").shift().over(_WRITER), "before"))
        done = rows.filter(pl.col("outcome") != "exception")
        last = done.group_by(_WRITER, maintain_order=True).agg(before=pl.col("value").last())
        self._last = pl.concat([self._last.join(last, on=_WRITER, how="anti"), last])
        strange = self._outside(baseline, rows)
        before = pl.col("before").cast(pl.String).fill_null("-")
        told = modbus(
            strange, "write", what=pl.format("{} = {} after {}", "what", "value", before), confirmed=ANSWERED
        )
        text = pl.format(
            "{} set to {} after {}, where {} to {} in steps of {} is usual",
            "place",
            "value",
            before,
            "least",
            "greatest",
            "step",
        )
        self._gathered.add(violations_of(told.with_columns(place=strange["what"]), text))

    def violations(self) -> pl.DataFrame:
        """What is unusual still: writes from before the end of learning may come late."""
        found, baseline = self._gathered.all(), self.memory.baseline
        if found.is_empty() or baseline is None:
            return found
        groups = pl.col("what").str.extract_groups(_VALUE)
        parts = found.with_columns(
            what=groups.struct[0],
            value=groups.struct[1].cast(pl.Int64),
            before=groups.struct[2].cast(pl.Int64, strict=False),
        )
        return merged(self._outside(baseline, parts).select(*VIOLATION)).select(*VIOLATION)

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The first of the values and what is usual."""
        return (
            f"The client wrote values {violation['count']} × that nobody usually writes there, first: "
            f"{violation['examples'][0]['text']}."
        )

    def _outside(self, baseline: Baseline, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows (PLACE, `value`, `before`) whose value or step is not usual, with the bounds."""
        settings = self.settings.M3
        bounds = bounds_of(baseline, "modbus.write").filter(pl.col("count") >= settings.writes)
        margin = (pl.col("greatest") - pl.col("least")) * settings.margin_percent // 100
        value = pl.col("value")
        outside = (value < pl.col("least") - margin) | (value > pl.col("greatest") + margin)
        leaps = ((value - pl.col("before")).abs() > pl.col("step") + margin).fill_null(value=False)
        taken = [name for name in ("count", "least", "greatest", "step") if name in rows.columns]
        joined = rows.join(bounds.drop(taken), on=list(PLACE), how="inner", maintain_order="left")
        return joined.filter(outside | leaps)
