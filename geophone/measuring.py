"""Captures and a policy in; the measured minutes out, without findings and without a store. For `geophone sla`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from analyzers.conversations import Conversations
from analyzers.exclusions import Exclusions
from analyzers.measurements import SLA_MINUTES
from analyzers.periods import Period
from analyzers.polls.watch import Polls
from analyzers.sla import Meter, MinuteNotes
from analyzers.sla_report_form import CaptureName
from analyzers.sla_totals import Measured, measured
from policy.zoning import CompiledSite
from sensors.capture import Capture
from sensors.engine import EngineLimits, Position, decode
from sensors.records import COVERAGE


@dataclass(frozen=True, slots=True)
class Measurements:
    """Rows of `sla_minutes`, of each capture, and of `coverage`, of all."""

    minutes: Mapping[CaptureName, pl.DataFrame]
    coverage: pl.DataFrame

    @property
    def packet_times(self) -> tuple[datetime, datetime] | None:
        """First and last packet, to the microsecond below; None where nothing was measured."""
        rows = self._all()
        if rows.is_empty():
            return None
        first, last = rows.select(
            pl.col("first_ts").dt.epoch("us").min(), pl.col("last_ts").dt.epoch("us").max()
        ).row(0)
        return datetime.fromtimestamp(first // 10**6, UTC), datetime.fromtimestamp(last // 10**6, UTC)

    def within(self, period: Period) -> tuple[Measured, tuple[CaptureName, ...]]:
        """What was measured in the period, and the captures that hold something of it."""
        inside = (pl.col("minute") >= period.start) & (pl.col("minute") < period.end)
        names = tuple(name for name, rows in self.minutes.items() if len(rows.filter(inside)))
        return measured(self._all(), self.coverage, period), names

    def _all(self) -> pl.DataFrame:
        return pl.concat(self.minutes.values())


def minute_notes(site: CompiledSite, polls: Polls) -> Sequence[MinuteNotes]:
    """What is known of minutes beside their traffic; the same for captures and interfaces.

    Polls first: a minute that they add, since something was due in it, may be of a planned change too.
    """
    return polls, Exclusions(site)


def measure(
    captures: Sequence[Capture],
    site: CompiledSite,
    limits: EngineLimits | None = None,
    progress: Callable[[Capture, Position], None] | None = None,
) -> Measurements:
    """Decode and measure each capture, as a replay does. Raises CaptureUnreadable.

    A capture given twice counts once, as it does in a store.
    """
    minutes: dict[CaptureName, pl.DataFrame] = {}
    coverage: list[pa.RecordBatch] = []
    seen = set[str]()
    for capture in captures:
        if capture.sha256 in seen:
            continue
        seen.add(capture.sha256)
        # Findings are no part of a report: the policy's hash and the version go nowhere.
        polls = Polls(site, "", "")
        conversations, meter = Conversations(site), Meter(site, minute_notes(site, polls))
        with decode(capture, limits=limits) as run:
            for batches in run:
                told = batches.get(COVERAGE.name)
                traffic = conversations.enrich(batches)
                polls.feed(traffic, told)
                meter.feed(traffic, told)
                if told is not None:
                    coverage.append(told)
                if progress is not None:
                    progress(capture, run.position())
        capture.refuse_changed()
        rows = pa.Table.from_batches([meter.finish()], SLA_MINUTES.schema())
        minutes[CaptureName(name=capture.name, sha256=capture.sha256)] = pl.DataFrame(rows)
    return Measurements(minutes, pl.DataFrame(pa.Table.from_batches(coverage, COVERAGE.schema())))
