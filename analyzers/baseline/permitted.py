"""Traffic in; the same with what the policy says of each row: whether somebody did what it forbids.

What crosses zones is forbidden where no rule allows the conversation or the operation; within a zone nothing is.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.judged import Judged, judge
from policy.operations import OPERATIONS
from policy.traffic import Traffic
from policy.zoning import CompiledSite

_OF_MINUTES: Final = ("flow_id", "minute")
#: What tells the rows of a table apart; one segment may carry several requests.
_OF_TRANSACTIONS: Final = ("flow_id", "ts", "request_frame", "response_frame")
_OF_SERVICE: Final = {
    "modbus": (*_OF_TRANSACTIONS, "transaction_id", "unit", "function", "address", "write_address"),
    "opcua": (*_OF_TRANSACTIONS, "channel_id", "request_id"),
    "mqtt": (*_OF_TRANSACTIONS, "packet_type", "packet_id", "topic"),
}


def tables_with_verdict(site: CompiledSite, traffic: Traffic) -> dict[str, pl.DataFrame]:
    """The tables that facts are read from, by name, each with the column `forbidden`."""
    judged = judge(site, traffic)
    tables = {"flow_minutes": _marked(traffic.flow_minutes, _denied(judged.flow_minutes, _OF_MINUTES))}
    for name in _OF_SERVICE:
        rows: pl.DataFrame = getattr(traffic, name)
        tables[name] = _marked(rows, _denied_transactions(site, judged, name))
    return tables


def _denied_transactions(site: CompiledSite, judged: Judged, service: str) -> pl.DataFrame:
    rows: pl.DataFrame = getattr(judged, service)
    key = _OF_SERVICE[service]
    parts = [_denied(rows, key)]
    if rows["allowed"].any():
        parts += [
            operations.broken(site, judged).select(key)
            for operations in OPERATIONS
            if operations.service == service
        ]
    return pl.concat(parts).unique()


def _denied(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Rows of conversations that no rule allows, whoever of the two is the client."""
    return rows.filter(~pl.col("allowed") & ~pl.col("swap_allowed")).select(key)


def _marked(rows: pl.DataFrame, denied: pl.DataFrame) -> pl.DataFrame:
    marks = denied.unique().with_columns(forbidden=pl.lit(value=True))
    joined = rows.join(marks, on=denied.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("forbidden").fill_null(value=False))
