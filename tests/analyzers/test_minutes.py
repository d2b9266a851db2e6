"""Minutes are measured as they end, and give what one Meter gives of all of them at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

from analyzers.minutes import Minutes
from analyzers.sla import Meter
from policy.zoning import CompiledSite
from sensors.records import COVERAGE
from tests.analyzers.test_sla_meter import MS, flow_minute, path_sample, site, traffic, transaction

__all__ = ["site"]


def coverage(*minutes: int, **columns: int) -> pa.RecordBatch:
    """The engine's rows of minutes that are over."""
    rows = [
        {
            **{column.name: 0 for column in COVERAGE.columns},
            "minute": flow_minute(minute)["minute"],
            "packets": 1000,
            **columns,
        }
        for minute in minutes
    ]
    return pa.RecordBatch.from_pylist(rows, schema=COVERAGE.schema())


def _minute(rows: pa.RecordBatch) -> int:
    only: datetime
    (only,) = set(rows["minute"].to_pylist())
    start = flow_minute(0)["minute"]
    assert isinstance(start, datetime)
    return (only - start) // timedelta(minutes=1)


def test_a_minute_is_measured_when_the_next_one_is_over(site: CompiledSite) -> None:
    minutes = Minutes(site)
    assert minutes.feed(traffic([flow_minute(0)], [], []), coverage(0)) == []
    measured = minutes.feed(traffic([flow_minute(1)], [], []), coverage(1))
    assert [_minute(rows) for rows in measured] == [0]
    assert [_minute(rows) for rows in minutes.finish()] == [1]
    assert minutes.finish() == []


def test_an_answer_that_never_came_still_counts_within_a_minute(site: CompiledSite) -> None:
    minutes = Minutes(site)
    minutes.feed(traffic([flow_minute(0)], [], [transaction(0, "answered", 5 * MS)]), coverage(0))
    minutes.feed(traffic([], [], [transaction(0, "unanswered", None)]))
    (rows,) = minutes.feed(traffic([flow_minute(1)], [], []), coverage(1))
    assert (rows["transactions"].to_pylist(), rows["unanswered"].to_pylist()) == ([2], [1])
    assert minutes.late_rows == 0


def test_what_comes_for_a_measured_minute_is_counted_as_late_not_in(site: CompiledSite) -> None:
    minutes = Minutes(site)
    minutes.feed(traffic([flow_minute(0)], [], []), coverage(0))
    minutes.feed(traffic([flow_minute(1)], [], []), coverage(1))
    assert minutes.feed(traffic([], [], [transaction(0, "unanswered", None)])) == []
    assert minutes.late_rows == 1
    assert [_minute(rows) for rows in minutes.finish()] == [1]


def test_minute_by_minute_is_what_all_at_once_is(site: CompiledSite) -> None:
    parts = [
        (
            [flow_minute(n, data_segments_c2s=50, retransmitted_segments_c2s=n)],
            [path_sample(n, (5 + n) * MS), path_sample(n, 7 * MS)],
            [transaction(n, "answered", (n + 1) * MS), transaction(n, "exception", MS)],
        )
        for n in range(4)
    ]
    minutes, meter = Minutes(site), Meter(site)
    measured = []
    for n, part in enumerate(parts):
        lossy = coverage(n, dropped_packets=50 if n == 2 else 0)
        measured += minutes.feed(traffic(*part), lossy)
        meter.feed(traffic(*part), lossy)
    measured += minutes.finish()
    whole = pl.DataFrame(meter.finish())
    found = pl.concat([pl.DataFrame(rows) for rows in measured])
    assert found.drop("valid").equals(whole.drop("valid"))
    assert found["valid"].to_list() == [True, True, False, True]


@pytest.mark.parametrize("covered", [True, False])
def test_a_minute_without_traffic_gives_no_row(site: CompiledSite, covered: bool) -> None:
    minutes = Minutes(site)
    minutes.feed(traffic([], [], []), coverage(0, 1, 2) if covered else None)
    assert minutes.finish() == []
