"""Requests of every protocol: traffic in; how each ended and how long it took out.

What counts as a request is what the protocol answers: every Modbus transaction; OPC UA service calls, channels
opened and hellos, but never Publish, which a server holds back until it has something to say (OPC 10000-4,
5.13.5); MQTT publications of QoS 1 and 2, subscriptions, pings and connections, whichever side sent them, but no
publication of QoS 0, which nothing answers (MQTT 5, 4.3.1); operations of the other protocols that have an answer.

A request belongs to the conversation of its flow, also where the flow's server is the one who asks.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.samples import What, coded, flow_minute
from policy.traffic import Traffic

_TURNED: Final = pl.col("turned")
_OUTCOME: Final = pl.col("outcome")
#: Of OPC UA: what is held back, and of a message that nobody can match the half that does not ask.
_NO_REQUEST: Final = (pl.col("service") == "Publish") | (
    (_OUTCOME == "encrypted") & pl.col("request_frame").is_null()
)
#: Of each table, how its requests ended (null for what is none), and whether the flow's client answered.
_TABLES: Final = {
    "modbus": (_OUTCOME, _TURNED),
    "opcua": (pl.when(~_NO_REQUEST).then(_OUTCOME), _TURNED),
    "mqtt": (_OUTCOME, _TURNED ^ (pl.col("direction") == "broker_to_client")),
    "operations": (pl.when(pl.col("flow_id").is_not_null()).then(_OUTCOME), _TURNED),
}


def request_samples(traffic: Traffic, deadline_ns: pl.Expr) -> pl.DataFrame | None:
    """Samples of the requests in a batch: their ends (`samples.What`) and times; None where the batch has none.

    Good is answered without exception within `deadline_ns`, an expression on the row's `conduit` and `server_zone` as
    seen from who asks. Not to be told, and so neither good nor bad: ENCRYPTED, which answer belongs to the request
    cannot be read (long polls are among them); UNMATCHED, an answer whose request was not seen; CLOCK, the answer's
    time is before the request's. Requests that wait when the capture ends are left out: they may yet be answered.
    """
    # Wide tables: nothing but these columns is touched.
    parts = [
        rows.select(
            "ts",
            "flow_id",
            "latency_ns",
            "conduit",
            "server_zone",
            outcome=outcome,
            turn=answered_by_client.cast(pl.UInt16) * _TURN,
        )
        for rows, outcome, answered_by_client in (
            (getattr(traffic, name), *how) for name, how in _TABLES.items()
        )
        if len(rows)
    ]
    if not parts:
        return None
    asked = (
        pl.concat(parts)
        .select(flow_minute("ts"), _what(deadline_ns).cast(pl.UInt16).alias("what"), "latency_ns")
        .drop_nulls("what")
    )
    return coded(asked, asked["latency_ns"])


#: From an end of a request that the flow's server answers to that of one that its client does.
_TURN: Final = What.CLIENT_GOOD - What.GOOD


def _what(deadline_ns: pl.Expr) -> pl.Expr:
    latency, turn = pl.col("latency_ns"), pl.col("turn")
    # An answer before its request shows a clock that was set back: no time can be told.
    answered = (
        pl.when(latency <= deadline_ns)
        .then(turn + What.GOOD.value)
        .when(latency.is_not_null())
        .then(turn + What.LATE.value)
        .otherwise(What.CLOCK.value)
    )
    return (
        pl.when(_OUTCOME == "answered")
        .then(answered)
        .when((_OUTCOME == "exception") | (_OUTCOME == "refused"))
        .then(turn + What.EXCEPTION.value)
        .when(_OUTCOME == "unanswered")
        .then(What.UNANSWERED.value)
        .when(_OUTCOME == "orphan")
        .then(What.UNMATCHED.value)
        .when(_OUTCOME == "encrypted")
        .then(What.ENCRYPTED.value)
    )


#: The columns of SLA_MINUTES that count requests, and the samples that each counts.
OUTCOMES: Final = {
    "transactions": (
        *(What.GOOD, What.LATE, What.EXCEPTION, What.UNANSWERED),
        *(What.CLIENT_GOOD, What.CLIENT_LATE, What.CLIENT_EXCEPTION),
    ),
    "good": (What.GOOD, What.CLIENT_GOOD),
    "exceptions": (What.EXCEPTION, What.CLIENT_EXCEPTION),
    "unanswered": (What.UNANSWERED,),
    "late": (What.LATE, What.CLIENT_LATE),
    "not_measurable_encrypted": (What.ENCRYPTED,),
    "not_measurable_unmatched": (What.UNMATCHED,),
    "not_measurable_clock": (What.CLOCK,),
}


def outcome_columns(counts: pl.DataFrame) -> pl.DataFrame:
    """Rows of `Samples.by_conversation` in; of each conversation with requests, the columns of OUTCOMES out."""
    asked = counts.filter(pl.col("what") >= What.GOOD.value)
    return asked.group_by("conversation").agg(
        pl.col("count").filter(pl.col("what").is_in([*kinds])).sum().cast(pl.UInt64).alias(name)
        for name, kinds in OUTCOMES.items()
    )
