"""What the MQTT detections share: connections as rows of violations, and in words."""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.detections.rows import transactions

CONNECTS: Final = (pl.col("packet_type") == "connect") & (pl.col("direction") == "client_to_broker")


def mqtt(rows: pl.DataFrame, operation: str, *, what: pl.Expr | None = None) -> pl.DataFrame:
    """MQTT transactions with the columns of ROW."""
    return transactions(rows, "mqtt", operation, what=what if what is not None else pl.lit(""))


def connect_text() -> pl.Expr:
    """A connection in words: `CONNECT as edge2, refused: not_authorized`; neither user name nor password."""
    return pl.concat_str(
        pl.format("CONNECT as {}", pl.col("client_id")),
        pl.when(pl.col("reason") != "")
        .then(pl.format("{}: {}", "outcome", pl.col("reason").cast(pl.String)))
        .otherwise(pl.col("outcome").cast(pl.String)),
        separator=", ",
    )
