"""What the Modbus detections share: requests in words, and which servers answer whom."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from analyzers.detections.rows import transactions
from analyzers.detections.seen import FirstTimes
from policy.modbus import FUNCTION_NAMES
from policy.traffic import Traffic

#: A client and a server of it, as SUBJECT names them.
PAIR: Final = {"client_ip": pl.Binary(), "server_ip": pl.Binary(), "server_port": pl.UInt16()}

_NO_FLOWS: Final = pl.DataFrame(
    schema={"flow_id": pl.UInt32(), **PAIR, "seen_ns": pl.Int64(), "latest_ns": pl.Int64()}
)

ANSWERED: Final = pl.col("outcome") == "answered"


def modbus(
    rows: pl.DataFrame,
    operation: str,
    *,
    what: pl.Expr | None = None,
    confirmed: pl.Expr | None = None,
) -> pl.DataFrame:
    """Modbus transactions with the columns of ROW."""
    return transactions(
        rows, "modbus", operation, what=what if what is not None else pl.lit(""), confirmed=confirmed
    )


@cache
def request_text() -> pl.Expr:
    """A transaction in words: `Diagnostics (8) unit 1, sub-function 4, unanswered`."""
    name = pl.col("function").replace_strict(FUNCTION_NAMES, default="Function", return_dtype=pl.String)
    return pl.concat_str(
        pl.format("{} ({}) unit {}", name, "function", "unit"),
        pl.when(pl.col("address").is_not_null()).then(pl.format("address {}", "address")),
        pl.when(pl.col("quantity").is_not_null()).then(pl.format("quantity {}", "quantity")),
        pl.when(pl.col("sub_function").is_not_null()).then(pl.format("sub-function {}", "sub_function")),
        _outcome(),
        separator=", ",
        ignore_nulls=True,
    )


def _outcome() -> pl.Expr:
    outcome = pl.col("outcome")
    return (
        pl.when(outcome == "exception")
        .then(pl.format("refused with exception {}", pl.col("exception_code").fill_null(0)))
        .when(outcome == "orphan")
        .then(pl.lit("a response without a request"))
        .when(outcome == "pending")
        .then(pl.lit("response not seen before the capture ended"))
        .otherwise(outcome)
    )


def answered_flows(traffic: Traffic) -> pl.DataFrame:
    """One batch in; `seen_ns` and `latest_ns` of the answers of each flow and direction with its PAIR out.

    Grouped by number: addresses are compared once a flow, not once a row; and once a batch for all who ask.
    """
    return traffic.once("answered Modbus flows", lambda: _answered(traffic.modbus))


def _answered(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return _NO_FLOWS
    # Within a flow and a direction of asking the ends are always the same: one number stands for them.
    side = pl.col("flow_id").cast(pl.Int64) * 2 + pl.col("turned")
    sides = (
        rows.lazy()
        .select(ts_ns=pl.col("ts").dt.epoch("ns"), side=side, outcome="outcome", row=pl.int_range(pl.len()))
        .filter((pl.col("outcome") == "answered") | (pl.col("outcome") == "exception"))
        .group_by("side")
        .agg(pl.col("row").first(), seen_ns=pl.col("ts_ns").min(), latest_ns=pl.col("ts_ns").max())
        .collect()
    )
    ends = rows.select("flow_id", *PAIR)[sides["row"]]
    return ends.hstack(sides.select("seen_ns", "latest_ns"))


class Answering:
    """Which servers answer which clients, and since when: silence of the others says nothing."""

    def __init__(self) -> None:
        self._first = FirstTimes(PAIR)

    def add(self, traffic: Traffic) -> None:
        """Take one batch."""
        self._first.add(answered_flows(traffic), pl.col("seen_ns"), pl.col("latest_ns"))

    def of(self, violations: pl.DataFrame) -> pl.DataFrame:
        """Violations of pairs whose server had answered before the last of them."""
        known = violations.join(self._first.all(), on=list(PAIR), how="inner")
        return known.filter(pl.col("seen_ns") < pl.col("last_ns")).select(violations.columns)
