"""What the checks and the measurements look at: decoded rows that know their conversation, zones and conduit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from sensors.records import (
    ANOMALIES,
    COVERAGE,
    DNS,
    FLOW_MINUTES,
    HTTP,
    MODBUS,
    MQTT,
    OBSERVATIONS,
    OPCUA,
    OPERATIONS,
    RTT,
    SERVICES,
    Kind,
    Table,
)

#: How a column of the wire tables is held here: closed sets of words are plain text.
POLARS_TYPES: Final[dict[Kind, pl.DataType]] = {
    Kind.UINT8: pl.UInt8(),
    Kind.UINT16: pl.UInt16(),
    Kind.UINT32: pl.UInt32(),
    Kind.UINT64: pl.UInt64(),
    Kind.INT64: pl.Int64(),
    Kind.FLOAT64: pl.Float64(),
    Kind.BOOL: pl.Boolean(),
    Kind.TIMESTAMP: pl.Datetime("ns", "UTC"),
    Kind.LABEL: pl.String(),
    Kind.NAME: pl.String(),
    Kind.TEXT: pl.String(),
    Kind.ADDRESS: pl.Binary(),
    Kind.MAC: pl.UInt64(),
    Kind.INT16_LIST: pl.List(pl.Int16()),
    Kind.UINT16_LIST: pl.List(pl.UInt16()),
    Kind.UINT32_LIST: pl.List(pl.UInt32()),
    Kind.TEXT_LIST: pl.List(pl.String()),
}

#: What every row learns from its flow, where it does not carry it already.
CONVERSATION: Final[dict[str, pl.DataType]] = {
    "ip_proto": pl.UInt8(),
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "client_port": pl.UInt16(),
    "server_port": pl.UInt16(),
    #: How client and server are known: syn, syn_ack, protocol, port, first_seen.
    "role_source": pl.String(),
    #: Zone ids, "" where no prefix holds the address.
    "client_zone": pl.String(),
    "server_zone": pl.String(),
    #: The conduit that allows the client's zone to ask the server's; "" where none does or both are one zone.
    "conduit": pl.String(),
    #: The two zones differ and neither address stays on its link: what the segmentation checks look at.
    "crosses": pl.Boolean(),
    #: Who asks in this row is the server of its flow.
    "turned": pl.Boolean(),
}


#: Minutes of flows that are looked at in one go: what is worked out of each costs a kilobyte for a while.
PIECE_ROWS: Final = 16_384

#: What minutes of flows know beside: who sent the flow's first frame on this link, and to whom (0 without MACs), and
#: the tunnel that it came in.
LINK: Final[dict[str, pl.DataType]] = {
    "client_mac": pl.UInt64(),
    "server_mac": pl.UInt64(),
    "tunnel": pl.String(),
}


def table_schema(table: Table) -> dict[str, pl.DataType]:
    """The columns of a wire table as they are held here."""
    return {column.name: POLARS_TYPES[column.kind] for column in table.columns}


def with_conversation(table: Table) -> dict[str, pl.DataType]:
    """The columns of a wire table whose rows know their conversation."""
    of_link = LINK if table is FLOW_MINUTES else {}
    return {**table_schema(table), **CONVERSATION, **of_link}


FLOW_MINUTE_SCHEMA: Final = with_conversation(FLOW_MINUTES)
MODBUS_SCHEMA: Final = with_conversation(MODBUS)
RTT_SCHEMA: Final = with_conversation(RTT)

#: The tables of Traffic: what each field holds.
TRAFFIC_TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        FLOW_MINUTES, MODBUS, OPCUA, MQTT, SERVICES, HTTP, OPERATIONS, DNS, OBSERVATIONS, RTT, ANOMALIES,
    )
}  # fmt: skip
_SCHEMAS: Final = {name: with_conversation(table) for name, table in TRAFFIC_TABLES.items()}


#: Made once each: an empty frame of so many columns costs as much as a small batch.
_NONE: Final = {name: pl.DataFrame(schema=schema) for name, schema in _SCHEMAS.items()}


def _no_coverage() -> pl.DataFrame:
    return pl.DataFrame(schema=table_schema(COVERAGE))


@dataclass(frozen=True, slots=True)
class Traffic:
    """One batch of decoded rows with their conversations; an empty table is an empty frame of the same columns.

    The client of a row is who asks, which may be the flow's server (OPC UA reverse connections, peers that ask each
    other): zones and conduit go with the row's client. Rows without a flow have their own addresses or none, no
    zones, and cross nothing.
    """

    flow_minutes: pl.DataFrame
    modbus: pl.DataFrame
    opcua: pl.DataFrame
    mqtt: pl.DataFrame
    services: pl.DataFrame
    http: pl.DataFrame
    operations: pl.DataFrame
    dns: pl.DataFrame
    observations: pl.DataFrame
    rtt: pl.DataFrame
    anomalies: pl.DataFrame
    #: What the sensor saw of the wire, by interface and minute: of no conversation.
    coverage: pl.DataFrame = field(default_factory=_no_coverage)
    #: When the first flow of the whole capture began, ns since the epoch; None as long as there was none.
    began_ns: int | None = None
    #: What `once` worked out; never that of other rows, for `replace` begins with none.
    _shared: dict[str, pl.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: str, work: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """What several ask of the batch, by its name: worked out for the first of them."""
        if what not in self._shared:
            self._shared[what] = work()
        return self._shared[what]

    @classmethod
    def of(cls, **tables: pl.DataFrame) -> Traffic:
        """These tables, by their names; no rows of the others."""
        given = {name: tables.get(name, _NONE[name]) for name in TRAFFIC_TABLES}
        return cls(**given, began_ns=None)

    @classmethod
    def empty(cls) -> Traffic:
        """No rows at all."""
        return cls.of()

    def pieces(self) -> Iterator[Traffic]:
        """The same rows with few minutes of flows at a time, for whom any cut into batches is alike."""
        if self.flow_minutes.height <= PIECE_ROWS:
            yield self
            return
        first, *others = self.flow_minutes.iter_slices(PIECE_ROWS)
        yield replace(self, flow_minutes=first)
        for rows in others:
            yield replace(Traffic.of(flow_minutes=rows), began_ns=self.began_ns)
