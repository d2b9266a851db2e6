"""Every wire table's columns, declared once: Arrow type, ClickHouse type, unit, meaning.

The native engine builds these tables, `geophone decode` writes them, the store derives its DDL from them and
the catalogue prints them. A test holds the engine's schemas against these declarations.

Conventions
    * times are nanoseconds since the Unix epoch, UTC, taken from the capture, never from a clock here;
    * addresses are 16 bytes, IPv4 as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2);
    * MAC addresses are the 48 bits as an integer, the first octet in the highest byte;
    * frame numbers start at 1 and count every record of the capture, as Wireshark numbers them;
    * `c2s` is client to server, `s2c` server to client; `role_source` says how it is known who is the client.
"""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.dns import DNS
from sensors.records.flows import FLOW_MINUTES, FLOW_STARTS, FLOWS, RTT
from sensors.records.http import HTTP
from sensors.records.modbus import MODBUS
from sensors.records.mqtt import MQTT
from sensors.records.observations import OBSERVATIONS
from sensors.records.opcua import OPCUA
from sensors.records.operations import OPERATIONS
from sensors.records.quality import ANOMALIES, COVERAGE
from sensors.records.services import SERVICES

__all__ = [
    "ANOMALIES",
    "COVERAGE",
    "DNS",
    "FLOWS",
    "FLOW_MINUTES",
    "FLOW_STARTS",
    "HTTP",
    "MODBUS",
    "MQTT",
    "OBSERVATIONS",
    "OPCUA",
    "OPERATIONS",
    "RTT",
    "SERVICES",
    "TABLES",
    "Column",
    "Kind",
    "Table",
    "table",
]

#: In the order in which the engine builds them.
TABLES: Final = (
    FLOW_STARTS,
    FLOW_MINUTES,
    FLOWS,
    MODBUS,
    OPCUA,
    MQTT,
    SERVICES,
    HTTP,
    OPERATIONS,
    DNS,
    OBSERVATIONS,
    RTT,
    ANOMALIES,
    COVERAGE,
)

_BY_NAME: Final = {table.name: table for table in TABLES}


def table(name: str) -> Table:
    """The declared table of that name; KeyError where there is none."""
    return _BY_NAME[name]
