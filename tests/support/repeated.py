"""A capture's traffic in; the same again and again, hours later each time, out: what an interface brings for days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import polars as pl

from analyzers.conversations import Conversations
from pcaps import sample
from policy.loader import load
from policy.traffic import TRAFFIC_TABLES, Traffic
from policy.zoning import CompiledSite, compile_site
from sensors.capture import open_capture
from sensors.engine import decode

_MINUTE_NS = 60_000_000_000
#: More than any sample has.
_FRAMES = 1_000_000


@cache
def site_of(name: str) -> CompiledSite:
    """The policy of a sample."""
    return compile_site(load(sample(name).policy).site)


@cache
def _once(name: str) -> tuple[list[Traffic], int]:
    conversations = Conversations(site_of(name))
    with decode(open_capture(sample(name).capture)) as run:
        return [conversations.enrich(batches) for batches in run], conversations.kept


def repeated(name: str, times: int, apart_minutes: int) -> Iterator[tuple[list[Traffic], int]]:
    """The sample so many times, each with when its last minute began."""
    batches, flows = _once(name)
    latest = max(
        int(one.flow_minutes["minute"].dt.epoch("ns").max())  # type: ignore[arg-type]
        for one in batches
        if one.flow_minutes.height
    )
    for number in range(times):
        by_ns = number * apart_minutes * _MINUTE_NS
        yield [_later(one, by_ns, number * flows, number * _FRAMES) for one in batches], latest + by_ns


def _later(traffic: Traffic, by_ns: int, flows: int, frames: int) -> Traffic:
    tables = {name: _moved(getattr(traffic, name), by_ns, flows, frames) for name in TRAFFIC_TABLES}
    coverage = _moved(traffic.coverage, by_ns, flows, frames)
    return replace(Traffic.of(**tables), coverage=coverage, began_ns=traffic.began_ns)


def _moved(rows: pl.DataFrame, by_ns: int, flows: int, frames: int) -> pl.DataFrame:
    return rows.with_columns(
        pl.col(pl.Datetime("ns", "UTC")) + pl.duration(nanoseconds=by_ns),
        *((pl.col(name) + flows).cast(kind) for name, kind in rows.schema.items() if name == "flow_id"),
        *((pl.col(name) + frames).cast(kind) for name, kind in rows.schema.items() if name.endswith("frame")),
    )
