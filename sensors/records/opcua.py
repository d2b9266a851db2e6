"""OPC UA service calls and connection events."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, HALVES, TALKERS

OPCUA: Final = Table(
    "opcua",
    "One row an OPC UA transaction: a service call, or a step of its connection.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        *HALVES,
        CONFIDENCE,
    ),
)
