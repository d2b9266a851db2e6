"""What the store gives an SLA report is what the minutes of a capture give it, frame by frame."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analyzers import sla_totals
from analyzers.periods import Period
from sensors.records import COVERAGE
from store.client import Store
from store.queries import reported
from store.writer import ReplayWriter
from tests.store.samples import START, at, coverage, minutes, outcome, replay_start, rows_of
from tests.store.test_rollups import ROWS

#: Three days, so that whole ones lie within: some of the minutes again, a day and two days later.
DAYS = [
    *ROWS,
    *({**row, "at": row["at"] + 1440} for row in ROWS),
    *({**row, "at": row["at"] + 2880} for row in ROWS[:9]),
]
READ = [
    {"at": n, "packets": 100 + n, "dropped_packets": n % 3, "duplicate_packets": 2}
    for n in range(0, 3000, 50)
]


@pytest.mark.parametrize(
    ("start", "end"), [(0, 4320), (-60, 5000), (90, 1500.5), (0.5, 1.5), (1080, 2520), (7000, 8000)]
)
def test_frames_are_those_of_the_rows(store: Store, start: float, end: float) -> None:
    writer = ReplayWriter(store, replay_start("a.pcap"))
    writer.write("sla_minutes", minutes(DAYS))
    writer.write("coverage", coverage(READ))
    writer.finish((), outcome())
    period = Period(at(start), at(end))
    ours = reported.measured(store, "mine-a", period)
    theirs = sla_totals.measured(pl.DataFrame(minutes(DAYS)), pl.DataFrame(coverage(READ)), period)
    assert_frame_equal(ours.totals, theirs.totals, check_row_order=False)
    assert_frame_equal(ours.minutes, theirs.minutes, check_row_order=False)
    assert ours.capture == theirs.capture


def test_another_sites_minutes_are_not_reported(store: Store) -> None:
    writer = ReplayWriter(store, replay_start("a.pcap"))
    writer.write("sla_minutes", minutes(ROWS))
    writer.finish((), outcome())
    period = Period(START, START + timedelta(days=1))
    nothing = reported.measured(store, "elsewhere", period)
    empty = sla_totals.measured(pl.DataFrame(minutes([])), pl.DataFrame(rows_of(COVERAGE, [])), period)
    assert nothing.totals.is_empty()
    assert nothing.minutes.is_empty()
    assert nothing.capture == empty.capture
    assert reported.captures(store, "elsewhere", period) == ()
    assert [capture.name for capture in reported.captures(store, "mine-a", period)] == ["a.pcap"]
