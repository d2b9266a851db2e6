"""What an SLA report is made from: the totals of each conversation, each minute's slots, the captures' own losses.

The same frames as `analyzers.sla_totals` makes from the rows of a capture: sums, so that where they are added up
does not matter.
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl
import pyarrow as pa

from analyzers.periods import Period
from analyzers.sla_report_form import CaptureName
from analyzers.sla_totals import (
    CONVERSATION,
    COUNTS,
    HISTOGRAMS,
    MINUTE,
    MINUTES_SCHEMA,
    TOTALS_SCHEMA,
    CaptureSums,
    Measured,
)
from store.client import Store
from store.queries.measured import COUNTED, CURRENT_REPLAYS, MINUTE_NS, Range
from store.queries.rolled import measurements, scopes
from store.rollups import SLA_COURSE, SLA_DAYS
from store.rows import nanoseconds

#: The minutes that begin in the period, of the site's captures, each capture's latest replay.
_ROWS: Final = (
    "site = {site:String} AND minute >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') "
    f"AND minute < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC') AND replay IN {CURRENT_REPLAYS}"
)
#: The same of the roll-up by the minute.
_COURSE: Final = _ROWS.replace("minute", "start")


def measured(store: Store, site: str, period: Period) -> Measured:
    """What the store holds of a site in a period."""
    bound = _bound(site, period)
    rows = _range(site, period)
    return Measured(_totals(store, rows), course_of(store, site, period), _capture(store, rows, bound))


def captures(store: Store, site: str, period: Period) -> tuple[CaptureName, ...]:
    """The captures that hold something of the period."""
    bound = _bound(site, period)
    rows = store.rows(
        "SELECT DISTINCT capture_name, capture_sha256 FROM replays FINAL WHERE id IN "
        f"(SELECT DISTINCT replay FROM {SLA_COURSE.name} WHERE {_COURSE}) ORDER BY capture_name, capture_sha256",
        bound,
    ).to_pylist()
    return tuple(CaptureName(name=row["capture_name"], sha256=row["capture_sha256"]) for row in rows)


def _totals(store: Store, rows: Range) -> pl.DataFrame:
    """Whole days come from the roll-up: a month of minutes is millions of rows, of days a few for each conversation."""
    keys = ", ".join(CONVERSATION)
    sums = [f"sum({name}) AS {name}_sum" for name in COUNTS]
    sums += [f"sumMap({name}_buckets, {name}_counts) AS {name}_map" for name in HISTOGRAMS]
    added = measurements(f"{keys}, {', '.join(sums)}", rows, COUNTED, SLA_DAYS)
    names = [f"{name}_sum AS {name}" for name in COUNTS]
    names += [f"{name}_map.1 AS {name}_buckets, {name}_map.2 AS {name}_counts" for name in HISTOGRAMS]
    found = store.rows(f"SELECT {keys}, {', '.join(names)} FROM ({added} GROUP BY {keys})", rows.parameters())
    return _frame(found, TOTALS_SCHEMA)


def course_of(store: Store, site: str, period: Period, course: str = SLA_COURSE.name) -> pl.DataFrame:
    """A row for all conversations of a minute, from the roll-up: of a month tens of thousands, not millions.

    Hardly a row of the roll-up has another to be added to: columns are added up here in half the time of the engine.
    `course` stands for the roll-up: a query that makes its rows, in brackets, is as good.
    """
    bound = _bound(site, period)
    rows = store.rows(
        "SELECT start AS minute, from_zone, to_zone, conduit, valid, exclusion, c.minutes AS conversations, packets, "
        f"slots, good, run, one_sided_requests AS one_sided FROM {course} AS c WHERE {_COURSE}",
        bound,
    )
    sums = [name for name in MINUTES_SCHEMA if name not in MINUTE]
    return (
        _frame(rows, MINUTES_SCHEMA)
        .group_by(MINUTE)
        .agg(pl.col(name).max() if name == "run" else pl.col(name).sum() for name in sums)
    )


def _capture(store: Store, rows: Range, bound: Mapping[str, object]) -> CaptureSums:
    sums = store.rows(
        "SELECT sum(packets) AS packets, sum(dropped_packets) AS dropped, sum(unseen_segments) AS unseen, "
        "sum(duplicate_packets) AS duplicates, uniqExactIf(minute, coverage.packets > 0) AS minutes "
        f"FROM coverage WHERE {_ROWS}",
        bound,
    ).to_pylist()[0]
    span = (
        "toUnixTimestamp64Nano(min(first_ts)) AS first_ns, toUnixTimestamp64Nano(max(last_ts)) AS last_ns, "
        "count() AS n"
    )
    times = store.rows(scopes(span, rows, "1"), rows.parameters()).to_pylist()[0]
    return CaptureSums(
        packets=sums["packets"] - sums["duplicates"],
        dropped_packets=sums["dropped"],
        unseen_segments=sums["unseen"],
        duplicate_packets=sums["duplicates"],
        first_ns=times["first_ns"] if times["n"] else None,
        last_ns=times["last_ns"] if times["n"] else None,
        minutes=sums["minutes"],
    )


def _bound(site: str, period: Period) -> dict[str, object]:
    return {"site": site, "start": nanoseconds(period.start), "end": nanoseconds(period.end)}


def _range(site: str, period: Period) -> Range:
    """Minutes that begin in the period: from its first whole one on."""
    start_ns = -(-nanoseconds(period.start) // MINUTE_NS) * MINUTE_NS
    return Range(start_ns, max(start_ns, nanoseconds(period.end)), site)


def _frame(rows: pa.Table, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(rows).select(pl.col(name).cast(kind) for name, kind in schema.items())
