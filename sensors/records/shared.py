"""Columns that several tables have."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind

#: The flow that a row belongs to.
FLOW_ID: Final = Column("flow_id", Kind.UINT32, "the flow: numbered from 1 in the order of flow_starts rows")

#: Who talked with whom, in every table of transactions, so that it is read without a join.
TALKERS: Final = (
    Column("client_ip", Kind.ADDRESS, "who asked"),
    Column("server_ip", Kind.ADDRESS, "who was asked"),
    Column("client_port", Kind.UINT16, "port of the client"),
    Column("server_port", Kind.UINT16, "port of the server"),
)

#: What the messages of a row came in, of a protocol that WebSocket carries too.
TRANSPORT: Final = Column("transport", Kind.NAME, "tcp or websocket")

#: How the protocol of a row is known.
CONFIDENCE: Final = Column("confidence", Kind.NAME, "how the protocol is known: handshake, structure or port")

#: The frames that completed a transaction's two halves.
HALVES: Final = (
    Column("request_frame", Kind.UINT64, "frame that completed the request", nullable=True),
    Column("response_frame", Kind.UINT64, "frame that completed the response", nullable=True),
)
