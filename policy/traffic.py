"""What the checks and the measurements look at: decoded rows that know their conversation, zones and conduit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from sensors.records import FLOW_MINUTES, MODBUS, RTT, Kind, Table

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
}


def table_schema(table: Table) -> dict[str, pl.DataType]:
    """The columns of a wire table as they are held here."""
    return {column.name: POLARS_TYPES[column.kind] for column in table.columns}


def _with_conversation(table: Table) -> dict[str, pl.DataType]:
    return {**table_schema(table), **CONVERSATION}


FLOW_MINUTE_SCHEMA: Final = _with_conversation(FLOW_MINUTES)
MODBUS_SCHEMA: Final = _with_conversation(MODBUS)
RTT_SCHEMA: Final = _with_conversation(RTT)


@dataclass(frozen=True, slots=True)
class Traffic:
    """One batch of decoded rows with their conversations; an empty table is an empty frame of the same columns."""

    flow_minutes: pl.DataFrame
    modbus: pl.DataFrame
    rtt: pl.DataFrame

    @classmethod
    def empty(cls) -> Traffic:
        """No rows at all."""
        return cls(
            pl.DataFrame(schema=FLOW_MINUTE_SCHEMA),
            pl.DataFrame(schema=MODBUS_SCHEMA),
            pl.DataFrame(schema=RTT_SCHEMA),
        )
