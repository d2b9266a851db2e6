"""What the OPC UA detections share: service calls as rows of violations, and in words."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from analyzers.baseline.facts import nodes_of
from analyzers.detections.rows import transactions

_NODES_SHOWN: Final = 4

ACTIVATES: Final = pl.col("service") == "ActivateSession"
ANSWERED: Final = pl.col("outcome") == "answered"


def opcua(
    rows: pl.DataFrame, operation: str, *, what: pl.Expr | None = None, confirmed: pl.Expr | None = None
) -> pl.DataFrame:
    """OPC UA transactions with the columns of ROW; `call` keeps the name of the service call."""
    return transactions(
        rows.with_columns(call=pl.col("service")),
        "opcua",
        operation,
        what=what if what is not None else pl.lit(""),
        confirmed=confirmed,
    )


def opcua_nodes(rows: pl.DataFrame, service: str, operation: str) -> pl.DataFrame:
    """Calls of a service with the columns of ROW, one row a node that they name: `what`, as a baseline has it."""
    asked = nodes_of(rows.filter(pl.col("outcome") != "orphan"), service)
    each = asked.with_columns(nodes=pl.concat_list("what"))
    done = ANSWERED & (pl.col("operations_failed") == 0)
    return opcua(each, operation, what=pl.col("what"), confirmed=done)


@cache
def call_text() -> pl.Expr:
    """A call in words: `ActivateSession, channel None, user user_name, BadUserAccessDenied`; never a secret."""
    nodes = pl.col("nodes").list.head(_NODES_SHOWN).list.join(", ")
    policy = pl.when(pl.col("security_policy") != "").then(pl.format("channel {}", "security_policy"))
    return pl.concat_str(
        pl.col("call"),
        pl.when(pl.col("nodes").list.len() > 0).then(pl.format("nodes {}", nodes)),
        policy,
        pl.when(pl.col("user_kind") != "unknown").then(pl.format("user {}", "user_kind")),
        pl.when(pl.col("status_name") != "").then("status_name").otherwise("outcome"),
        separator=", ",
        ignore_nulls=True,
    )
