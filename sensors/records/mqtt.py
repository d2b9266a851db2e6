"""MQTT control packets and their answers."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, HALVES, TALKERS

MQTT: Final = Table(
    "mqtt",
    "One row an MQTT transaction: a packet and what answered it.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        *HALVES,
        CONFIDENCE,
    ),
)
