"""Operations of protocols that are named, not read in depth."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, TALKERS

OPERATIONS: Final = Table(
    "operations",
    "One row an operation: S7comm, EtherNet/IP, DNP3 and the like.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the answer where no request was seen", "ns"),
        Column("flow_id", Kind.UINT32, "the flow; none where the protocol has no IP", nullable=True),
        *TALKERS,
        Column("frame", Kind.UINT64, "the frame that asked"),
        Column("service", Kind.NAME, "application protocol"),
        Column(
            "operation_class",
            Kind.NAME,
            "what the operation does to the device: read, write, program, stop and so on",
        ),
        CONFIDENCE,
    ),
)
