"""Requests of every protocol: traffic in; how each ended and how long it took out.

What counts as a request is what the protocol answers: every Modbus transaction; OPC UA service calls, channels
opened and hellos, but never Publish, which a server holds back until it has something to say (OPC 10000-4,
5.13.5); MQTT publications of QoS 1 and 2, subscriptions, pings and connections, whichever side sent them, but no
publication of QoS 0, which nothing answers (MQTT 5, 4.3.1); operations of the other protocols that have an answer.

A request belongs to the conversation of its flow, also where the flow's server is the one who asks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from analyzers.counts import Counts
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


class Requests:
    """Samples of requests: how each ended (`samples.What`) and how long it took.

    Good is answered without exception within `deadline_ns`, an expression on the row's `conduit` and `server_zone` as
    seen from who asks. Not to be told, and so neither good nor bad: ENCRYPTED, which answer belongs to the request
    cannot be read (long polls are among them); UNMATCHED, an answer whose request was not seen; CLOCK, the answer's
    time is before the request's. Requests that wait when the capture ends are left out: they may yet be answered.
    """

    def __init__(self, deadline_ns: pl.Expr) -> None:
        # Of wide tables, nothing but what is needed is touched. Written once: that costs as much as a small batch.
        self._columns = {
            name: (
                flow_minute("ts"),
                _what(outcome, answered_by_client.cast(pl.UInt16) * _TURN, deadline_ns).alias("what"),
                pl.col("latency_ns"),
            )
            for name, (outcome, answered_by_client) in _TABLES.items()
        }

    def samples(self, traffic: Traffic) -> pl.DataFrame | None:
        """Those of one batch; None where it has no request."""
        tables = {name: getattr(traffic, name) for name in _TABLES}
        parts = [rows.select(*self._columns[name]) for name, rows in tables.items() if len(rows)]
        if not parts:
            return None
        asked = pl.concat(parts).drop_nulls("what")
        return coded(asked, asked["latency_ns"])


#: From an end of a request that the flow's server answers to that of one that its client does.
_TURN: Final = What.CLIENT_GOOD - What.GOOD


def _what(outcome: pl.Expr, turn: pl.Expr, deadline_ns: pl.Expr) -> pl.Expr:
    latency = pl.col("latency_ns")
    # An answer before its request shows a clock that was set back: no time can be told.
    answered = (
        pl.when(latency <= deadline_ns)
        .then(turn + What.GOOD.value)
        .when(latency.is_not_null())
        .then(turn + What.LATE.value)
        .otherwise(What.CLOCK.value)
    )
    what = (
        pl.when(outcome == "answered")
        .then(answered)
        .when((outcome == "exception") | (outcome == "refused"))
        .then(turn + What.EXCEPTION.value)
        .when(outcome == "unanswered")
        .then(What.UNANSWERED.value)
        .when(outcome == "orphan")
        .then(What.UNMATCHED.value)
        .when(outcome == "encrypted")
        .then(What.ENCRYPTED.value)
    )
    return what.cast(pl.UInt16)


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


def outcome_columns(counts: Counts) -> list[pl.Series]:
    """The columns of OUTCOMES, one entry a conversation."""
    samples = {kind: counts.samples(kind) for kind in {kind for kinds in OUTCOMES.values() for kind in kinds}}
    return [
        pl.Series(name, np.sum([samples[kind] for kind in kinds], axis=0)) for name, kinds in OUTCOMES.items()
    ]
