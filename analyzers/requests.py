"""Requests of every protocol in one shape: traffic in; who was asked, how it ended and how long it took out.

What counts as a request is what the protocol answers: every Modbus transaction; OPC UA service calls, channels
opened and hellos, but never Publish, which a server holds back until it has something to say (OPC 10000-4,
5.13.5); MQTT publications of QoS 1 and 2, subscriptions, pings and connections, whichever side sent them, but no
publication of QoS 0, which nothing answers (MQTT 5, 4.3.1); operations of the other protocols that have an answer.

A row belongs to the conversation of its flow, also where the flow's server is the one who asks.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.loss import CONVERSATION_KEY
from policy.traffic import Traffic

#: Answers that the decoder could match, and requests that waited in vain.
_MATCHED: Final = ("answered", "exception", "unanswered")
#: Who asked is the flow's server in these rows.
_TURNED: Final = pl.col("turned")


def requests(traffic: Traffic) -> pl.DataFrame:
    """One row a request, or an answer without one.

    Columns: CONVERSATION_KEY of the flow; `conduit` and `server_zone` as seen from who asks; `by_client`, the flow's
    client is who answers; `outcome`: answered, exception, unanswered, or why it cannot be told: `encrypted` (which
    answer belongs to it cannot be read; long polls are among them), `unmatched` (an answer whose request was not
    seen), `clock` (the answer's time is before the request's); `latency_ns`, null where it is not known.

    Requests that wait when the capture ends are in no row: they may yet be answered.
    """
    parts = [
        _shaped(rows, outcome, answered_by_client)
        for rows, outcome, answered_by_client in (
            (traffic.modbus, pl.col("outcome"), _TURNED),
            (traffic.opcua, _OPCUA_OUTCOME, _TURNED),
            (traffic.mqtt, _MQTT_OUTCOME, _TURNED ^ (pl.col("direction") == "broker_to_client")),
            (traffic.operations.filter(pl.col("flow_id").is_not_null()), pl.col("outcome"), _TURNED),
        )
        if len(rows)
    ]
    return pl.concat(parts) if parts else _shaped(traffic.modbus, pl.col("outcome"), _TURNED)


_REFUSED: Final = {"refused": "exception"}
_MQTT_OUTCOME: Final = pl.col("outcome").replace(_REFUSED)
#: Of a message that nobody can match only the asking half is a request. None leaves the row out.
_OPCUA_OUTCOME: Final = (
    pl.when(pl.col("service") == "Publish")
    .then(None)
    .when((pl.col("outcome") == "encrypted") & pl.col("request_frame").is_null())
    .then(None)
    .otherwise(pl.col("outcome"))
)


def _shaped(rows: pl.DataFrame, outcome: pl.Expr, answered_by_client: pl.Expr) -> pl.DataFrame:
    told = (
        pl.when(outcome.is_in(_MATCHED))
        .then(
            # An answer that came before its request shows a clock that was set back: no time can be told.
            pl.when((outcome == "answered") & pl.col("latency_ns").is_null())
            .then(pl.lit("clock"))
            .otherwise(outcome)
        )
        .when(outcome == "orphan")
        .then(pl.lit("unmatched"))
        .when(outcome == "encrypted")
        .then(pl.lit("encrypted"))
    )
    return (
        rows.lazy()
        .select(
            pl.col("ts").dt.truncate("1m").alias("minute"),
            pl.when(_TURNED).then("server_ip").otherwise("client_ip").alias("client_ip"),
            pl.when(_TURNED).then("client_ip").otherwise("server_ip").alias("server_ip"),
            "ip_proto",
            pl.when(_TURNED).then("client_port").otherwise("server_port").alias("server_port"),
            "conduit",
            "server_zone",
            answered_by_client.alias("by_client"),
            told.alias("outcome"),
            "latency_ns",
        )
        .filter(pl.col("outcome").is_not_null())
        .collect()
    )


def outcome_rows(asked: pl.DataFrame, deadline_ns: pl.Expr) -> pl.DataFrame:
    """Rows of `requests` by how they ended, one row per CONVERSATION_KEY."""
    outcome = pl.col("outcome")
    in_time = pl.col("latency_ns") <= deadline_ns

    def count(condition: pl.Expr) -> pl.Expr:
        return condition.sum().cast(pl.UInt64)

    return asked.group_by(CONVERSATION_KEY).agg(
        count(outcome.is_in(_MATCHED)).alias("transactions"),
        count((outcome == "answered") & in_time).alias("good"),
        count(outcome == "exception").alias("exceptions"),
        count(outcome == "unanswered").alias("unanswered"),
        count((outcome == "answered") & ~in_time).alias("late"),
        *(
            count(outcome == why).alias(f"not_measurable_{why}")
            for why in ("encrypted", "unmatched", "clock")
        ),
    )


#: What `outcome_rows` counts.
OUTCOMES: Final = (
    "transactions",
    "good",
    "exceptions",
    "unanswered",
    "late",
    "not_measurable_encrypted",
    "not_measurable_unmatched",
    "not_measurable_clock",
)


def added_outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `outcome_rows` from several batches, added up."""
    return rows.group_by(CONVERSATION_KEY).agg(pl.col(OUTCOMES).sum())
