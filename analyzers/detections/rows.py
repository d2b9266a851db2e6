"""Rows of traffic in; rows as violations are made of them, and violations out."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from policy.violations import LOW, MINUTE_NS, ROW, confidence_of_roles, grouped

#: Stands for many addresses, or for nobody known: the unspecified address.
NOBODY: Final = bytes(16)

_NOTHING: Final = pl.lit("")


def transactions(
    rows: pl.DataFrame,
    service: str,
    operation: str,
    *,
    what: pl.Expr = _NOTHING,
    confirmed: pl.Expr | None = None,
) -> pl.DataFrame:
    """Rows of a table of transactions in; the same with the columns of ROW out.

    `operation` is the word behind the service, as change windows name it; `what` tells apart what one conversation
    does; `confirmed` is that it went through.
    """
    return _made(
        rows,
        service,
        what=what,
        operation=f"{service}.{operation}",
        ts=pl.col("ts"),
        frame=pl.coalesce("request_frame", "response_frame"),
        confirmed=confirmed,
        doubt=pl.col("after_gap"),
    )


def told(
    rows: pl.DataFrame,
    service: str,
    operation: str,
    *,
    what: pl.Expr = _NOTHING,
    doubt: pl.Expr | None = None,
) -> pl.DataFrame:
    """Rows of a table that tells things by frame (anomalies, services, observations), with the columns of ROW."""
    return _made(
        rows,
        service,
        what=what,
        operation=f"{service}.{operation}",
        ts=pl.col("ts"),
        frame=pl.col("frame"),
        confirmed=None,
        doubt=doubt if doubt is not None else pl.lit(value=False),
    )


def _made(
    rows: pl.DataFrame,
    service: str,
    *,
    what: pl.Expr,
    operation: str,
    ts: pl.Expr,
    frame: pl.Expr,
    confirmed: pl.Expr | None,
    doubt: pl.Expr,
) -> pl.DataFrame:
    if rows.is_empty():
        return _none(tuple(rows.schema.items()))
    at = ts.dt.epoch("ns")
    rank = confidence_of_roles().cast(pl.Int16) - doubt.fill_null(value=False).cast(pl.Int16)
    return rows.with_columns(
        what=what.cast(pl.String),
        reverse_conduit=pl.lit(""),
        operation=pl.lit(operation),
        ts_ns=at,
        last_ns=at,
        frame=frame.fill_null(1).cast(pl.UInt64),
        confirmed=confirmed if confirmed is not None else pl.lit(value=False),
        confidence_rank=rank.clip(lower_bound=LOW).cast(pl.UInt8),
        service=pl.lit(service),
        decoded=pl.lit(value=True),
        server_port=pl.col("server_port").fill_null(0),
        ip_proto=pl.col("ip_proto").fill_null(0),
        client_ip=pl.col("client_ip").fill_null(NOBODY),
        server_ip=pl.col("server_ip").fill_null(NOBODY),
    )


@cache
def _none(columns: tuple[tuple[str, pl.DataType], ...]) -> pl.DataFrame:
    """No rows of these columns and those of ROW: what most detections find in most batches."""
    return pl.DataFrame(schema={**dict(columns), **ROW})


def violations_of(rows: pl.DataFrame, text: pl.Expr, *, slot_ns: int = MINUTE_NS) -> pl.DataFrame:
    """Rows with the columns of ROW in, violations by subject and minute (or finer slot) out.

    `text` says what one row shows; it is written for the rows that are kept as examples only.
    """
    return grouped(
        rows,
        lambda examples: examples.with_columns(text.fill_null("").alias("text"), nearest=pl.lit("")),
        slot_ns=slot_ns,
    )
