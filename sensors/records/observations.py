"""What the wire tells of a device."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table

OBSERVATIONS: Final = Table(
    "observations",
    "One row the first time that something is seen of a device: an address, a name, a model.",
    (
        Column("ts", Kind.TIMESTAMP, "when it was seen first", "ns"),
        Column("frame", Kind.UINT64, "the frame that told it"),
        Column("flow_id", Kind.UINT32, "the flow, where there is one", nullable=True),
        Column("mac", Kind.MAC, "the device's MAC address; 0 where it is not known"),
        Column("ip", Kind.ADDRESS, "the device's IP address; :: where it is not known"),
        Column("kind", Kind.NAME, "what is told: address, host_name, vendor, model, firmware and so on"),
        Column("source", Kind.NAME, "the protocol that told it"),
        Column("value", Kind.TEXT, "what it says, at most 256 characters"),
    ),
    stored=True,
)
