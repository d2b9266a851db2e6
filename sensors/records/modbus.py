"""Modbus transactions."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import FLOW_ID

MODBUS: Final = Table(
    "modbus",
    "One row a Modbus transaction: request and response, or the honest lack of one.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        FLOW_ID,
        Column("client_ip", Kind.ADDRESS, "who asked"),
        Column("server_ip", Kind.ADDRESS, "who was asked"),
        Column("client_port", Kind.UINT16, "port of the client"),
        Column("server_port", Kind.UINT16, "port of the server"),
        Column(
            "framing",
            Kind.NAME,
            "how units are told apart: tcp (MBAP header), rtu_over_tcp (checksum, no header), udp, rtu_over_udp",
        ),
        Column("request_frame", Kind.UINT64, "frame that completed the request", nullable=True),
        Column("response_frame", Kind.UINT64, "frame that completed the response", nullable=True),
        Column("transaction_id", Kind.UINT16, "MBAP transaction identifier; 0 over RTU, which has none"),
        Column("unit", Kind.UINT8, "unit identifier"),
        Column("function", Kind.UINT8, "function code, without the exception bit"),
        Column(
            "outcome",
            Kind.NAME,
            "answered, exception, unanswered, orphan (a response nobody asked for), pending (capture ended)",
        ),
        Column("exception_code", Kind.UINT8, "of the exception response", nullable=True),
        Column(
            "latency_ns", Kind.UINT64, "response minus request, where both were seen", "ns", nullable=True
        ),
        Column(
            "address", Kind.UINT16, "0-based protocol address; the read one for function 23", nullable=True
        ),
        Column("quantity", Kind.UINT16, "coils or registers from `address` on", nullable=True),
        Column("write_address", Kind.UINT16, "0-based protocol address written", nullable=True),
        Column("write_quantity", Kind.UINT16, "coils or registers written", nullable=True),
        Column("values_read", Kind.UINT16_LIST, "register values, or coils as 0 and 1; the first 128"),
        Column("values_written", Kind.UINT16_LIST, "register values, or coils as 0 and 1; the first 128"),
        Column("sub_function", Kind.UINT16, "of function 8, MEI type of 43", nullable=True),
        Column("and_mask", Kind.UINT16, "of function 22", nullable=True),
        Column("or_mask", Kind.UINT16, "of function 22", nullable=True),
        Column(
            "detail", Kind.TEXT, "what has no column of its own: file records, objects, private bytes as hex"
        ),
        Column("request_bytes", Kind.UINT16, "length of the request with its header or checksum", "byte"),
        Column("response_bytes", Kind.UINT16, "length of the response with its header or checksum", "byte"),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this transaction"),
        Column("confidence", Kind.NAME, "how Modbus is known: structure (request and response fit) or port"),
    ),
    stored=True,
)
