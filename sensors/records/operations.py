"""Operations of protocols that are named and classed, not read in depth."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, HALVES, TALKERS

OPERATIONS: Final = Table(
    "operations",
    "One row an operation of S7comm, EtherNet/IP, DNP3 and the like: what was asked and what became of it. Cyclic "
    "messages are counted: one row for all of a flow and minute that are alike.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the answer where no request was seen", "ns"),
        Column("flow_id", Kind.UINT32, "the flow; none where the protocol has no IP", nullable=True),
        *TALKERS,
        Column("client_mac", Kind.MAC, "who asked, where the protocol has no IP; else 0: the flow has it"),
        Column(
            "server_mac", Kind.MAC, "who was asked, where the protocol has no IP; else 0: the flow has it"
        ),
        *HALVES,
        Column("service", Kind.NAME, "application protocol"),
        Column("operation", Kind.TEXT, "the operation, as its standard or its vendor names it"),
        Column(
            "operation_class",
            Kind.NAME,
            "what it does to the device: read, write, program, start, stop, restart, discover, configure, "
            "session, other",
        ),
        Column(
            "object",
            Kind.TEXT,
            "what it is done to: data block and address, class and instance, tag, point, property; at most 256 "
            "bytes",
        ),
        Column("quantity", Kind.UINT32, "how many values, points or bytes", nullable=True),
        Column(
            "value",
            Kind.TEXT,
            "what is written or was read, at most 256 bytes; a password is never told, only its presence in "
            "`detail`",
        ),
        Column("detail", Kind.TEXT, "what has no column of its own: causes, flags, names of errors"),
        Column(
            "client_station", Kind.TEXT, "who asked, behind the network address: TSAP, DNP3 address and so on"
        ),
        Column(
            "server_station",
            Kind.TEXT,
            "who was asked, behind the network address: rack and slot, unit and so on",
        ),
        Column(
            "outcome",
            Kind.NAME,
            "answered, exception (answered with an error), unanswered, orphan (an answer nobody asked for), "
            "pending (capture ended), one_way (nothing answers it)",
        ),
        Column("error_code", Kind.UINT32, "the protocol's own, where the answer is an error", nullable=True),
        Column("latency_ns", Kind.UINT64, "answer minus request, where both were seen", "ns", nullable=True),
        Column(
            "messages",
            Kind.UINT32,
            "messages that this row stands for: 1, or those of a minute that are alike",
        ),
        Column("span_ns", Kind.UINT64, "first to last of these messages; 0 for one", "ns"),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this operation"),
        CONFIDENCE,
    ),
    stored=True,
)
