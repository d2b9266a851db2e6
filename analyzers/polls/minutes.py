"""Slots that nobody asked in: rows of SLA_MINUTES in; the same with `missed` filled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.loss import CONVERSATION_KEY
from analyzers.measurements import SLA_MINUTES
from analyzers.polls.facts import Conversation
from analyzers.polls.relation import Subject
from policy.traffic import table_schema

_SCHEMA: Final = table_schema(SLA_MINUTES)
_NULLABLE: Final = frozenset(column.name for column in SLA_MINUTES.columns if column.nullable)


def with_missed(
    minutes: pl.DataFrame,
    missed: Mapping[tuple[Conversation, int], int],
    subjects: Mapping[Conversation, Subject],
) -> pl.DataFrame:
    """`missed`: slots by conversation and start of the minute; each needs its `subjects`.

    A conversation that said nothing in a minute in which it was due has no row: it gets one without traffic.
    """
    if not missed:
        return minutes
    rows = [
        _silent(subjects[conversation], conversation, at_ns, count)
        for (conversation, at_ns), count in missed.items()
    ]
    told = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    counted = minutes.drop("missed").join(
        told.select(*CONVERSATION_KEY, "missed"), on=CONVERSATION_KEY, how="left"
    )
    known = counted.with_columns(pl.col("missed").fill_null(0)).select(minutes.columns)
    silent = told.join(minutes.select(CONVERSATION_KEY), on=CONVERSATION_KEY, how="anti")
    return pl.concat([known, silent.select(minutes.columns)], how="vertical_relaxed")


def _silent(subject: Subject, conversation: Conversation, at_ns: int, count: int) -> list[Any]:
    client_ip, server_ip, ip_proto, server_port = conversation
    given = {
        "minute": at_ns,
        "valid": True,
        "from_zone": subject.client_zone,
        "to_zone": subject.server_zone,
        "conduit": subject.conduit,
        "client_ip": client_ip,
        "server_ip": server_ip,
        "server_port": server_port,
        "ip_proto": ip_proto,
        "service": subject.service,
        "first_ts": at_ns,
        "last_ts": at_ns,
        "missed": count,
    }
    return [given.get(name, _nothing(name, kind)) for name, kind in _SCHEMA.items()]


def _nothing(name: str, kind: pl.DataType) -> Any:
    if name in _NULLABLE:
        return None
    if isinstance(kind, pl.List):
        return []
    if kind == pl.Boolean:
        return False
    return "" if kind == pl.String else 0
