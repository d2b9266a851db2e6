"""Traffic in; who asked whom for what, when, and how it ended out: requests that may be polls.

What is asked is told apart as finely as a poller's list does: for Modbus the unit, function and range; for OPC UA the
service and its nodes; for MQTT the ping; for other protocols the operation and its object. Never a poll: an OPC UA
Publish, which the server holds back until it has something to say (OPC 10000-4, 5.13.5), what nothing answers, and
cyclic messages that the decoder counts by the minute (their requests have no times of their own).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.traffic import Traffic

GOOD: Final = "good"
LATE: Final = "late"
EXCEPTION: Final = "exception"
UNANSWERED: Final = "unanswered"
#: Something else that the client asks or says: it shows that it is there.
OTHER: Final = "other"
#: Ends that make a slot bad.
BAD_ENDS: Final = (LATE, EXCEPTION, UNANSWERED)

#: Who asks whom, through what; with `what`, a relation.
CONVERSATION: Final = ("client_ip", "server_ip", "ip_proto", "server_port")
RELATION: Final = (*CONVERSATION, "service", "what")

_COLUMNS: Final = (
    *RELATION,
    "client_zone",
    "server_zone",
    "conduit",
    "role_source",
    "turned",
    "ts_ns",
    "frame",
    "flow_id",
    "deadline_ns",
    "how",
)


#: Deadlines of single polls, in the place of their scope's.
DEADLINES: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "service": pl.String(),
    "what": pl.String(),
    "own_deadline_ns": pl.UInt64(),
}


def asked(traffic: Traffic, deadline_ns: pl.Expr, deadlines: pl.DataFrame) -> pl.DataFrame:
    """One row a request: RELATION, zones, `ts_ns` (of the request), `frame`, `flow_id`, and `how` it ended.

    `deadline_ns`: what an answer must keep to be good, from the row's conduit and zones; `deadlines`: rows of
    DEADLINES. A request that still waits when the capture ends is unanswered: whoever judges it asks whether its
    deadline has passed.
    """
    parts = [
        _shaped(rows, deadline_ns, deadlines)
        for rows in (
            _modbus(traffic.modbus),
            _opcua(traffic.opcua),
            _mqtt(traffic.mqtt),
            _operations(traffic.operations),
        )
        if rows is not None
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.Null))


def _shaped(rows: pl.DataFrame, deadline_ns: pl.Expr, deadlines: pl.DataFrame) -> pl.DataFrame:
    outcome, in_time = pl.col("outcome"), pl.col("latency_ns") <= pl.col("deadline_ns")
    how = (
        pl.when(pl.col("what") == "")
        .then(pl.lit(OTHER))
        .when(outcome == "answered")
        # An answer that came before its request shows a clock that was set back: it is an answer all the same.
        .then(pl.when(in_time.fill_null(value=True)).then(pl.lit(GOOD)).otherwise(pl.lit(LATE)))
        .when(outcome == "exception")
        .then(pl.lit(EXCEPTION))
        # A hole in what was captured may hide the answer.
        .when(outcome.is_in(["unanswered", "pending"]) & ~pl.col("after_gap"))
        .then(pl.lit(UNANSWERED))
        .otherwise(pl.lit(OTHER))
    )
    return (
        rows.lazy()
        .filter(pl.col("request_frame").is_not_null() & pl.col("flow_id").is_not_null())
        .join(deadlines.lazy(), on=list(DEADLINES)[:-1], how="left", maintain_order="left")
        .with_columns(pl.coalesce("own_deadline_ns", deadline_ns).alias("deadline_ns"))
        .with_columns(
            how.alias("how"),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            frame=pl.col("request_frame").cast(pl.UInt64),
        )
        .select(_COLUMNS)
        .collect()
    )


def _described(rows: pl.DataFrame, keys: list[str], text: pl.Expr) -> pl.DataFrame:
    """Add `what`; the text is written once for each combination of keys."""
    table = rows.select(keys).unique().with_columns(text.fill_null("").alias("what"))
    return rows.join(table, on=keys, how="left", nulls_equal=True, maintain_order="left")


def _modbus(rows: pl.DataFrame) -> pl.DataFrame | None:
    if rows.is_empty():
        return None
    keys = ["unit", "function", "address", "quantity", "write_address", "write_quantity", "sub_function"]
    more = [
        pl.when(pl.col(name).is_null())
        .then(pl.lit(""))
        .otherwise(pl.format(f" {name.replace('_', ' ')} {{}}", name))
        for name in keys[2:]
    ]
    text = pl.concat_str(pl.format("unit {} function {}", "unit", "function"), *more)
    return _described(rows, keys, text).with_columns(service=pl.lit("modbus"))


def _opcua(rows: pl.DataFrame) -> pl.DataFrame | None:
    if rows.is_empty():
        return None
    nodes = pl.col("nodes").list
    text = (
        pl.when(pl.col("message_type").ne("MSG") | pl.col("service").is_in(["", "Publish"]))
        .then(pl.lit(""))
        .otherwise(
            pl.concat_str("service", pl.lit(" "), nodes.join(" ").str.slice(0, 200), pl.lit(" "), nodes.len())
        )
    )
    named = rows.with_columns(what=text.fill_null("").str.strip_chars())
    return named.with_columns(service=pl.lit("opcua"))


def _mqtt(rows: pl.DataFrame) -> pl.DataFrame | None:
    from_client = rows.filter(pl.col("direction") == "client_to_broker")
    if from_client.is_empty():
        return None
    ping = pl.when(pl.col("packet_type") == "pingreq").then(pl.lit("ping")).otherwise(pl.lit(""))
    outcome = pl.col("outcome").replace({"refused": "exception"})
    return from_client.with_columns(ping.alias("what"), outcome.alias("outcome"), service=pl.lit("mqtt"))


def _operations(rows: pl.DataFrame) -> pl.DataFrame | None:
    if rows.is_empty():
        return None
    keys = ["messages", "operation", "object", "quantity", "server_station"]
    parts = [
        pl.col("operation"),
        pl.col("object"),
        pl.col("quantity").cast(pl.String),
        pl.col("server_station"),
    ]
    text = (
        pl.when(pl.col("messages") > 1)
        .then(pl.lit(""))
        .otherwise(pl.concat_str(parts, separator=" ", ignore_nulls=True).str.slice(0, 300))
    )
    return _described(rows, keys, text)
