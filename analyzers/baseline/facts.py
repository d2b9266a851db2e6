"""Traffic in; what it shows that a baseline remembers, a row each time it was seen, out.

A fact is: somebody (`client_ip`) did something (`kind`, `what`) to somebody (`server_ip`, `ip_proto`, `server_port`).
`what` is text of one form a kind; the detections that compare write it with the same expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from analyzers.baseline.modbus_facts import asked, written
from policy.traffic import Traffic

#: What makes two facts one.
KEY: Final[dict[str, pl.DataType]] = {
    "kind": pl.String(),
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
    "what": pl.String(),
}

#: One time that a fact was seen.
SEEN: Final[dict[str, pl.DataType]] = {
    **KEY,
    "ts_ns": pl.Int64(),
    #: The number that was written, where the fact is about one.
    "value": pl.Int64(),
    #: The policy forbids it: it is remembered, and does not become known.
    "forbidden": pl.Boolean(),
}

#: A topic or node in a fact: longer ones are cut.
_WHAT_LENGTH: Final = 512
_SUCCEEDED: Final = ("answered", "unanswered", "pending", "one_way", "encrypted")


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of fact: its name, what it says, the table it is read from, and how."""

    name: str
    #: Finishes "… is what usually happens".
    doc: str
    table: str
    #: Rows of the table in; the same rows (or several of each) with `what`, and `value` where there is one, out.
    rows: Callable[[pl.DataFrame], pl.DataFrame]


def conversations(rows: pl.DataFrame) -> pl.DataFrame:
    """Minutes of flows that carried something; `what` is the service, empty where the port is all that is known."""
    recognised = pl.col("confidence").is_in(["handshake", "structure"])
    return rows.filter("established").with_columns(
        what=pl.when(recognised).then(pl.col("service").cast(pl.String)).otherwise(pl.lit("")),
        ts=pl.col("first_ts"),
    )


def opcua_services(rows: pl.DataFrame) -> pl.DataFrame:
    """Service calls that were not refused; `what` is the service's name."""
    return _went(rows).filter(pl.col("service") != "").with_columns(what=pl.col("service").cast(pl.String))


def opcua_writes(rows: pl.DataFrame) -> pl.DataFrame:
    """Nodes written, a row each; `what` is the node."""
    return nodes_of(_went(rows), "Write")


def opcua_calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Methods called, a row each; `what` is the method's node."""
    return nodes_of(_went(rows), "Call")


def nodes_of(rows: pl.DataFrame, service: str) -> pl.DataFrame:
    """Calls of a service, whatever became of them, a row a node that they name; `what` is the node."""
    return _each(rows.filter(pl.col("service") == service), "nodes")


def opcua_security(rows: pl.DataFrame) -> pl.DataFrame:
    """Channels opened; `what` is `policy/mode` as in `Basic256Sha256/sign_and_encrypt`."""
    settled = pl.col("security_mode").is_in(["none", "sign", "sign_and_encrypt"])
    known = rows.filter((pl.col("security_policy") != "") & settled)
    return known.with_columns(what=pl.format("{}/{}", "security_policy", "security_mode"))


def opcua_certificates(rows: pl.DataFrame) -> pl.DataFrame:
    """Certificates that servers showed; `what` is the thumbprint."""
    shown = rows.filter(pl.col("server_certificate_thumbprint") != "")
    return shown.with_columns(what=pl.col("server_certificate_thumbprint"))


def mqtt_publications(rows: pl.DataFrame) -> pl.DataFrame:
    """Publications of clients that were not refused; `what` is the topic."""
    return mqtt_published(_went(rows))


def mqtt_retained(rows: pl.DataFrame) -> pl.DataFrame:
    """Publications that the broker keeps, wills included; `what` is the topic."""
    return mqtt_left(_went(rows))


def mqtt_subscriptions(rows: pl.DataFrame) -> pl.DataFrame:
    """Topic filters subscribed to, a row each; `what` is the filter."""
    return mqtt_asked_for(_went(rows))


def mqtt_published(rows: pl.DataFrame) -> pl.DataFrame:
    """Publications of clients, whatever became of them; `what` is the topic."""
    return _of_clients(rows, "publish").filter(pl.col("topic") != "").with_columns(what=_cut("topic"))


def mqtt_left(rows: pl.DataFrame) -> pl.DataFrame:
    """Publications and wills of clients that the broker is to keep, whatever became of them; `what` is the topic."""
    wills = _of_clients(rows, "connect").filter(pl.col("will_retain") & (pl.col("will_topic") != ""))
    return pl.concat([mqtt_published(rows).filter("retain"), wills.with_columns(what=_cut("will_topic"))])


def mqtt_asked_for(rows: pl.DataFrame) -> pl.DataFrame:
    """Topic filters of subscriptions, a row each, whatever became of them; `what` is the filter."""
    return _each(_of_clients(rows, "subscribe"), "filters")


KINDS: Final = (
    FactKind("conversation", "who talks with whom, by service", "flow_minutes", conversations),
    FactKind("modbus.function", "units and functions asked for", "modbus", asked),
    FactKind("modbus.write", "coils and registers written, with their values", "modbus", written),
    FactKind("opcua.service", "services called", "opcua", opcua_services),
    FactKind("opcua.write", "nodes written", "opcua", opcua_writes),
    FactKind("opcua.call", "methods called", "opcua", opcua_calls),
    FactKind("opcua.security", "security policies and modes of channels", "opcua", opcua_security),
    FactKind("opcua.certificate", "certificates that servers show", "opcua", opcua_certificates),
    FactKind("mqtt.publish", "topics published", "mqtt", mqtt_publications),
    FactKind("mqtt.retain", "topics published to be kept by the broker, wills included", "mqtt", mqtt_retained),
    FactKind("mqtt.subscribe", "topic filters subscribed to", "mqtt", mqtt_subscriptions),
)  # fmt: skip


def facts_of(kind: FactKind, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the kind's table in; the facts they show, columns of SEEN, out."""
    seen = kind.rows(rows)
    if "value" not in seen.columns:
        seen = seen.with_columns(value=pl.lit(None, pl.Int64))
    if "forbidden" not in seen.columns:
        seen = seen.with_columns(forbidden=pl.lit(value=False))
    placed = seen.filter(pl.col("client_ip").is_not_null() & pl.col("server_ip").is_not_null())
    return placed.with_columns(kind=pl.lit(kind.name), ts_ns=pl.col("ts").dt.epoch("ns")).select(
        pl.col(name).cast(type_) for name, type_ in SEEN.items()
    )


def table_of(traffic: Traffic, kind: FactKind) -> pl.DataFrame:
    """The table that a kind is read from."""
    rows: pl.DataFrame = getattr(traffic, kind.table)
    return rows


def _went(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("outcome").is_in(_SUCCEEDED))


def _of_clients(rows: pl.DataFrame, packet_type: str) -> pl.DataFrame:
    """Packets of one type that clients sent: what the broker sends are copies."""
    return rows.filter((pl.col("packet_type") == packet_type) & (pl.col("direction") == "client_to_broker"))


def _each(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """A row for each entry of a list of texts, in `what`."""
    exploded = rows.filter(pl.col(column).list.len() > 0).with_columns(what=pl.col(column)).explode("what")
    return exploded.filter(pl.col("what").is_not_null()).with_columns(what=_cut("what"))


def _cut(column: str) -> pl.Expr:
    return pl.col(column).str.head(_WHAT_LENGTH)
