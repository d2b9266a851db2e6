"""What a service said of itself."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, TALKERS

SERVICES: Final = Table(
    "services",
    "One row a flow whose service introduced itself: TLS, SSH, RDP and the like.",
    (
        Column("ts", Kind.TIMESTAMP, "when the introduction was complete", "ns"),
        FLOW_ID,
        *TALKERS,
        Column("frame", Kind.UINT64, "frame that completed it"),
        Column("service", Kind.NAME, "application protocol"),
        CONFIDENCE,
    ),
)
