"""Record batches in; rows that know their conversation, zones and conduit out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl
import pyarrow as pa

from analyzers.compact import compact
from analyzers.frames import frame_of
from policy.traffic import CONVERSATION, LINK, TRAFFIC_TABLES, Traffic, with_conversation
from policy.zoning import CompiledSite
from sensors.records import COVERAGE, FLOW_STARTS, FLOWS, Table

_FLOWS_SCHEMA: Final = {
    "flow_id": pl.UInt32(),
    **{name: kind for name, kind in CONVERSATION.items() if name != "turned"},
    **LINK,
}

#: What holds of a row that belongs to no flow; what is not here stays unknown.
_NO_FLOW: Final = {
    name: pl.col(name).fill_null(value)
    for name, value in {
        "role_source": "",
        "client_zone": "",
        "server_zone": "",
        "conduit": "",
        "crosses": False,
    }.items()
}


class Conversations:
    """Keeps who talks with whom over the batches of one capture; grows with its flows, not with its rows.

    Flows that are over are forgotten where there are many of them, or no end: `forget_ended`.

    Flow ids come numbered from 1 and each flow's `flow_starts` row comes before, or with, the first row that
    names it: a batch that breaks this is a bug of the decoder and raises ValueError.
    """

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._flows = pl.DataFrame(schema=_FLOWS_SCHEMA)
        self._began_ns: int | None = None
        #: The last flow that began.
        self._latest = 0
        #: Flows that ended since others were forgotten last, and those that ended before.
        self._ended: list[pl.Series] = []
        self._over: list[pl.Series] = []

    @property
    def kept(self) -> int:
        """How many flows are held in memory."""
        return self._flows.height

    def enrich(self, batches: Mapping[str, pa.RecordBatch]) -> Traffic:
        """Batches of `sensors.records` by table name in; their rows joined with their conversations out."""
        if FLOW_STARTS.name in batches:
            self._learn(frame_of(batches, FLOW_STARTS))
        if FLOWS.name in batches:
            self._ended.append(pl.Series("flow_id", batches[FLOWS.name].column("flow_id")))
        traffic = Traffic.of(
            **{
                name: self._join(table, frame_of(batches, table))
                for name, table in TRAFFIC_TABLES.items()
                if name in batches
            }
        )
        if COVERAGE.name in batches:
            traffic = replace(traffic, coverage=frame_of(batches, COVERAGE))
        return replace(traffic, began_ns=self._began_ns)

    def forget_ended(self) -> None:
        """Forget the flows that had ended when it was called the last time: no row names them any more."""
        if self._over:
            over = pl.concat(self._over)
            self._flows = compact(self._flows.filter(~pl.col("flow_id").is_in(over.implode())))
        self._over, self._ended = self._ended, []

    def _learn(self, starts: pl.DataFrame) -> None:
        """Add new flows, their zones looked up once a distinct address."""
        if self._began_ns is None and starts.height:
            self._began_ns = int(starts["ts"].dt.epoch("ns")[0])
        expected = pl.int_range(1, starts.height + 1, dtype=pl.UInt32, eager=True) + self._latest
        if not starts["flow_id"].equals(expected, check_names=False):
            raise ValueError(f"flow_starts: flow ids do not go on from {self._latest}")
        self._latest += starts.height
        site = self._site
        flows = starts.with_columns(
            site.zones_of(starts["client_ip"]).alias("client_zone"),
            site.zones_of(starts["server_ip"]).alias("server_zone"),
            (site.local_of(starts["client_ip"]) | site.local_of(starts["server_ip"])).alias("local"),
        )
        flows = flows.join(
            site.conduit_pairs, on=["client_zone", "server_zone"], how="left", maintain_order="left"
        )
        flows = flows.with_columns(
            pl.col("conduit").fill_null(""),
            crosses=(pl.col("client_zone") != pl.col("server_zone")) & ~pl.col("local"),
        )
        # extend() grows in place: the cost of a batch is its own flows, not all of them.
        self._flows.extend(flows.select(*_FLOWS_SCHEMA))

    def _join(self, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        schema = with_conversation(table)
        if rows.is_empty():
            return pl.DataFrame(schema=schema)
        lowest, highest = rows.select(low=pl.col("flow_id").min(), high=pl.col("flow_id").max()).row(0)
        if lowest is not None and (lowest < 1 or highest > self._latest):
            raise ValueError(f"rows name flows {lowest} to {highest}; known are 1 to {self._latest}")
        places = self._places(rows["flow_id"])
        missing = [name for name in _FLOWS_SCHEMA if name in schema and name not in rows.columns]
        known = self._flows.select(pl.col(missing).gather(places))
        joined = rows.hstack(known.get_columns())
        if rows["flow_id"].null_count():
            joined = joined.with_columns(_NO_FLOW[name] for name in missing if name in _NO_FLOW)
        joined = joined.with_columns(turned=False)
        if "client_ip" in rows.columns:
            joined = self._with_own_roles(joined, places)
        return joined.select(*schema)

    def _places(self, flow_ids: pl.Series) -> pl.Series:
        """Where each flow is kept; null where a row has none. Raises ValueError for one that was forgotten."""
        if self._flows.height == self._latest:
            return flow_ids - 1
        kept = self._flows["flow_id"]
        named = flow_ids.drop_nulls()
        places = kept.search_sorted(named)
        if not named.is_empty() and (
            int(places.max()) >= kept.len() or (kept.gather(places) != named).any()  # type: ignore[arg-type]
        ):
            raise ValueError("rows name flows that had ended long before")
        at = flow_ids.is_not_null().arg_true()
        return pl.repeat(None, flow_ids.len(), dtype=pl.UInt32, eager=True).scatter(at, places)

    def _with_own_roles(self, rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
        """Rows whose client is their flow's server: zones and conduit as they are seen from there."""
        of_flow = self._flows.get_column("client_ip").gather(places)
        turned = (rows["client_ip"] != of_flow).fill_null(value=False)
        if not turned.any():
            return rows
        conduits = self._site.conduit_pairs.select(
            pl.col("client_zone").alias("server_zone"),
            pl.col("server_zone").alias("client_zone"),
            pl.col("conduit").alias("other_conduit"),
        )
        rows = rows.with_columns(turned.alias("turned")).join(
            conduits, on=["client_zone", "server_zone"], how="left", maintain_order="left"
        )
        return rows.with_columns(
            pl.when("turned").then("server_zone").otherwise("client_zone").alias("client_zone"),
            pl.when("turned").then("client_zone").otherwise("server_zone").alias("server_zone"),
            pl.when("turned")
            .then(pl.col("other_conduit").fill_null(""))
            .otherwise("conduit")
            .alias("conduit"),
        )
