"""Requests of every protocol: traffic in; how each ended and how long it took out.

What counts as a request is what the protocol answers: every Modbus transaction; OPC UA service calls, channels
opened and hellos, but never Publish, which a server holds back until it has something to say (OPC 10000-4,
5.13.5); MQTT publications of QoS 1 and 2, subscriptions, pings and connections, whichever side sent them, but no
publication of QoS 0, which nothing answers (MQTT 5, 4.3.1); operations of the other protocols that have an answer.

A request belongs to the conversation of its flow, also where the flow's server is the one who asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from analyzers.counts import Counts
from analyzers.flow_minutes import flow_minute
from analyzers.heaps import Heap
from analyzers.samples import Samples, What, coded
from policy.traffic import Traffic

_TURNED: Final = pl.col("turned")
_OUTCOME: Final = pl.col("outcome")
#: Of OPC UA: what is held back, and of a message that nobody can match the half that does not ask.
_NO_REQUEST: Final = (pl.col("service") == "Publish") | (
    (_OUTCOME == "encrypted") & pl.col("request_frame").is_null()
)
#: What is read of every table.
_COLUMNS: Final = ("ts", "flow_id", "outcome", "turned", "latency_ns", "conduit", "server_zone")


@dataclass(frozen=True, slots=True)
class Deadline:
    """What each request has to be answered within."""

    #: Of a row's `conduit` and `server_zone`.
    ns: pl.Expr
    #: No row has less.
    least_ns: int


@dataclass(frozen=True, slots=True)
class _Table:
    """How requests are read from a table."""

    #: Which of its rows are requests; None where all are.
    asks: pl.Expr | None = None
    #: Whether the flow's client answered.
    answered_by_client: pl.Expr = _TURNED
    #: What is read beside _COLUMNS.
    columns: tuple[str, ...] = ()


_TABLES: Final = {
    "modbus": _Table(),
    "opcua": _Table(asks=~_NO_REQUEST, columns=("service", "request_frame")),
    "mqtt": _Table(
        answered_by_client=_TURNED ^ (pl.col("direction") == "broker_to_client"), columns=("direction",)
    ),
    "operations": _Table(asks=pl.col("flow_id").is_not_null()),
}
#: From an end of a request that the flow's server answers to that of one that its client does.
_TURN: Final = What.CLIENT_GOOD - What.GOOD
_FLOW_MINUTE: Final = flow_minute("ts")


class Requests:
    """Samples of requests: how each ended (`samples.What`) and how long it took.

    Good is answered without exception within the deadline of the row's `conduit` and `server_zone` as seen from who
    asks. Not to be told, and so neither good nor bad: ENCRYPTED, which answer belongs to the request
    cannot be read (long polls are among them); UNMATCHED, an answer whose request was not seen; CLOCK, the answer's
    time is before the request's. Requests that wait when the capture ends are left out: they may yet be answered.
    """

    def __init__(self, deadline: Deadline, samples: Samples) -> None:
        """What is found goes to `samples`, at the latest with `clear`."""
        self._samples = samples
        self._deadline = deadline
        self._heaps = {
            name: Heap((*_COLUMNS, *table.columns), partial(self._found, table))
            for name, table in _TABLES.items()
        }

    def add(self, traffic: Traffic) -> None:
        """Those of one batch."""
        for name, heap in self._heaps.items():
            heap.add(getattr(traffic, name))

    def clear(self) -> None:
        """Have all of them be in the samples."""
        for heap in self._heaps.values():
            heap.clear()

    def _found(self, table: _Table, rows: pl.DataFrame) -> None:
        if table.asks is not None:
            rows = rows.filter(table.asks)
        turn = table.answered_by_client.cast(pl.UInt16) * _TURN
        asked = rows.select(_FLOW_MINUTE, (turn + What.GOOD.value).alias("what"), "latency_ns")
        # Nearly all are answered soon enough for anybody: the others alone are looked at more closely.
        soon = rows.select((_OUTCOME == "answered") & (pl.col("latency_ns") <= self._deadline.least_ns))
        good = soon.to_series().fill_null(value=False)
        if not good.all():
            others = rows.filter(~good).select(
                _FLOW_MINUTE, _what(turn, self._deadline.ns).alias("what"), "latency_ns"
            )
            asked = pl.concat([asked.filter(good), others.drop_nulls("what")])
        self._samples.add(coded(asked, asked["latency_ns"]))


def _what(turn: pl.Expr, deadline_ns: pl.Expr) -> pl.Expr:
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
