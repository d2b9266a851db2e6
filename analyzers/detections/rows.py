"""Rows of traffic in; rows as violations are made of them, and violations out."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from policy.violations import MINUTE_NS, ROW, grouped, rows_of

#: Stands for many addresses, or for nobody known: the unspecified address.
NOBODY: Final = bytes(16)

_NOTHING: Final = pl.lit("")
_FALSE: Final = pl.lit(value=False)


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
    if rows.is_empty():
        return _none(tuple(rows.schema.items()))
    return rows_of(
        _placed(rows, service),
        frame=_counted(pl.coalesce("request_frame", "response_frame")),
        what=what,
        operation=pl.lit(f"{service}.{operation}"),
        confirmed=confirmed if confirmed is not None else _FALSE,
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
    if rows.is_empty():
        return _none(tuple(rows.schema.items()))
    return rows_of(
        _placed(rows, service),
        frame=_counted(pl.col("frame")),
        what=what,
        operation=pl.lit(f"{service}.{operation}"),
        doubt=doubt if doubt is not None else _FALSE,
    )


def _counted(frame: pl.Expr) -> pl.Expr:
    """Frames count from one; where none is known, the first one stands for it."""
    return frame.fill_null(1).cast(pl.UInt64)


def _placed(rows: pl.DataFrame, service: str) -> pl.DataFrame:
    """Rows of a service, with ends even where the network shows none."""
    return rows.with_columns(
        service=pl.lit(service),
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
