"""Stored rows of one replay in; traffic as it was when they came, as far as the store keeps it, out.

A store keeps conversations as wholes, not their minutes: here each has one minute, that of its first packet. Rows of
conversations that are not stored, because a session was killed before they ended, are left out.
"""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from analyzers.conversations import Conversations
from policy.traffic import Traffic, table_schema
from policy.zoning import CompiledSite
from sensors.records import FLOW_MINUTES, FLOW_STARTS, Table

_MINUTE: Final = "1m"


class History:
    """The conversations of one replay, and what was said in them."""

    def __init__(self, site: CompiledSite, flows: pl.DataFrame) -> None:
        """`flows`: every row of the table, as `policy.traffic.table_schema` has it."""
        ordered = flows.sort("flow_id").with_row_index("number", offset=1)
        self._numbers = ordered.select("flow_id", number=pl.col("number").cast(pl.UInt32))
        self._flows = ordered.with_columns(flow_id=pl.col("number").cast(pl.UInt32)).drop("number")
        self._conversations = Conversations(site)

    def conversations(self) -> Traffic:
        """The conversations themselves; comes first."""
        whole = self._flows.with_columns(minute=pl.col("ts").dt.truncate(_MINUTE), first_ts=pl.col("ts"))
        tables = {table.name: _batch(whole, table) for table in (FLOW_STARTS, FLOW_MINUTES)}
        return self._conversations.enrich(tables)

    def traffic(self, table: Table, rows: pl.DataFrame) -> Traffic:
        """Rows of one other table, with their conversations."""
        numbered = rows.join(self._numbers, on="flow_id", how="left", maintain_order="left")
        kept = numbered.filter(pl.col("flow_id").is_null() | pl.col("number").is_not_null())
        own = kept.with_columns(flow_id=pl.col("number").cast(pl.UInt32))
        return self._conversations.enrich({table.name: _batch(own, table)})


def _batch(rows: pl.DataFrame, table: Table) -> pa.RecordBatch:
    columns = rows.select(*table_schema(table)).to_arrow().combine_chunks()
    return pa.RecordBatch.from_struct_array(columns.to_struct_array().combine_chunks())
