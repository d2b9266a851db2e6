"""What the MQTT detections share: connections as rows of violations, and in words."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from analyzers.detections.rows import transactions

CONNECTS: Final = (pl.col("packet_type") == "connect") & (pl.col("direction") == "client_to_broker")


#: The broker said that it has the publication; a will is one only later.
CONFIRMED: Final = (pl.col("packet_type") == "publish") & (pl.col("outcome") == "answered")

_TOPIC_SHOWN: Final = 128
_METRICS_SHOWN: Final = 4


def mqtt(
    rows: pl.DataFrame, operation: str, *, what: pl.Expr | None = None, confirmed: pl.Expr | None = None
) -> pl.DataFrame:
    """MQTT transactions with the columns of ROW."""
    return transactions(
        rows, "mqtt", operation, what=what if what is not None else pl.lit(""), confirmed=confirmed
    )


@cache
def connect_text() -> pl.Expr:
    """A connection in words: `CONNECT as edge2, refused: not_authorized`; neither user name nor password."""
    return pl.concat_str(
        pl.format("CONNECT as {}", pl.col("client_id")),
        outcome_text(),
        separator=", ",
    )


@cache
def subscribe_text() -> pl.Expr:
    """A filter (`what`) in words: `SUBSCRIBE # as explorer, answered: granted_qos_0`."""
    return pl.concat_str(
        pl.format("SUBSCRIBE {}{}", shown("what"), _as_client()), outcome_text(), separator=", "
    )


@cache
def publish_text() -> pl.Expr:
    """A publication in words, without its values: `PUBLISH a/NCMD/b (Node Control/Rebirth) as host, QoS 0, one_way`."""
    metrics = pl.col("metric_names").list.head(_METRICS_SHOWN).list.join(", ")
    return pl.concat_str(
        pl.format(
            "PUBLISH {}{}{}",
            shown("topic"),
            pl.when(metrics != "").then(pl.format(" ({})", metrics)).otherwise(pl.lit("")),
            _as_client(),
        ),
        pl.format("QoS {}", pl.col("qos").fill_null(0)),
        outcome_text(),
        separator=", ",
    )


def shown(column: str) -> pl.Expr:
    """A topic or filter, cut where it is longer than anybody reads."""
    text = pl.col(column)
    long = text.str.len_chars() > _TOPIC_SHOWN
    return pl.when(long).then(pl.format("{}…", text.str.head(_TOPIC_SHOWN))).otherwise(text)


@cache
def _as_client() -> pl.Expr:
    """` as edge2`; nothing where the connecting was not seen."""
    known = pl.col("client_id") != ""
    return pl.when(known).then(pl.format(" as {}", "client_id")).otherwise(pl.lit(""))


@cache
def outcome_text() -> pl.Expr:
    """`answered`, or with the broker's reason: `refused: not_authorized`."""
    outcome, reason = (pl.col(name).cast(pl.String) for name in ("outcome", "reason"))
    return pl.when(reason != "").then(pl.format("{}: {}", outcome, reason)).otherwise(outcome)
