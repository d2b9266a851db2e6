"""What a rule can look at: the services of `logsource`, each a stored table, and their fields.

A rule reads what is stored, and what follows from a row and the policy (zones, conduit), and nothing else: so it
matches the same rows whether it looks at batches as they come or at the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sensors.records import (
    ANOMALIES,
    DNS,
    FLOWS,
    HTTP,
    MODBUS,
    MQTT,
    OBSERVATIONS,
    OPCUA,
    OPERATIONS,
    SERVICES,
    Column,
    Kind,
    Table,
)

#: `logsource.product` of every rule.
PRODUCT: Final = "geophone"

#: `logsource.service` -> the table whose rows the rule looks at.
SERVICE_TABLES: Final[dict[str, Table]] = {
    "conversations": FLOWS,
    **{
        table.name: table
        for table in (MODBUS, OPCUA, MQTT, OPERATIONS, SERVICES, HTTP, DNS, OBSERVATIONS, ANOMALIES)
    },
}

_PLACES: Final = (
    Column("client_zone", Kind.LABEL, "zone of the client by the policy; empty where it is in none"),
    Column("server_zone", Kind.LABEL, "zone of the server by the policy; empty where it is in none"),
    Column("conduit", Kind.LABEL, "the conduit from the one zone to the other; empty where there is none"),
)
_ZONE: Final = Column(
    "zone", Kind.LABEL, "zone of the device's address by the policy; empty where it is in none"
)

#: Numbers that only hold within one capture: a rule that names one could not mean anything.
_WITHIN_A_CAPTURE: Final = frozenset({"flow_id"})

TEXTS: Final = frozenset({Kind.TEXT, Kind.NAME, Kind.LABEL, Kind.TEXT_LIST})
NUMBERS: Final = frozenset(
    {
        Kind.UINT8, Kind.UINT16, Kind.UINT32, Kind.UINT64, Kind.INT64, Kind.FLOAT64,
        Kind.INT16_LIST, Kind.UINT16_LIST, Kind.UINT32_LIST,
    }
)  # fmt: skip
LISTS: Final = frozenset({Kind.TEXT_LIST, Kind.INT16_LIST, Kind.UINT16_LIST, Kind.UINT32_LIST})

#: What a field holds, in a word.
HOLDS: Final[dict[Kind, str]] = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "number"),
    Kind.TEXT_LIST: "list of texts",
    Kind.INT16_LIST: "list of numbers",
    Kind.UINT16_LIST: "list of numbers",
    Kind.UINT32_LIST: "list of numbers",
    Kind.BOOL: "true or false",
    Kind.ADDRESS: "IP address",
    Kind.MAC: "MAC address",
    Kind.TIMESTAMP: "time",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One `logsource.service`: its table, and its fields by name."""

    name: str
    table: Table
    fields: dict[str, Column]


def _service(name: str, table: Table) -> Service:
    columns = [column for column in table.columns if column.name not in _WITHIN_A_CAPTURE]
    names = {column.name for column in columns}
    if {"client_ip", "server_ip"} <= names:
        columns += _PLACES
    elif "ip" in names:
        columns.append(_ZONE)
    return Service(name, table, {column.name: column for column in columns})


SERVICES_OF_RULES: Final[dict[str, Service]] = {
    name: _service(name, table) for name, table in SERVICE_TABLES.items()
}
