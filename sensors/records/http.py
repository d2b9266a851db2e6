"""HTTP requests and their responses."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, HALVES, TALKERS

HTTP: Final = Table(
    "http",
    "One row an HTTP/1 transaction in clear. Queries, bodies, cookies and credentials are not kept.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        *HALVES,
        Column("service", Kind.NAME, "http, or what it carries: winrm, websocket"),
        Column(
            "outcome",
            Kind.NAME,
            "answered, unanswered, orphan (a response nobody asked for), pending (capture ended)",
        ),
        Column("method", Kind.TEXT, "request method"),
        Column("host", Kind.TEXT, "host that was asked for, with its port where it is said"),
        Column("path", Kind.TEXT, "path that was asked for, without its query; at most 512 characters"),
        Column("version", Kind.TEXT, "version of the response, else of the request: HTTP/1.1"),
        Column("status", Kind.UINT16, "status code of the response; 1xx ones are passed over", nullable=True),
        Column(
            "latency_ns",
            Kind.UINT64,
            "head of the response minus head of the request",
            "ns",
            nullable=True,
        ),
        Column("user_agent", Kind.TEXT, "what the client calls its software"),
        Column("server", Kind.TEXT, "what the server calls its software"),
        Column("content_type", Kind.TEXT, "of the response, else of the request"),
        Column("request_body_bytes", Kind.UINT64, "length that the request declares", "byte", nullable=True),
        Column(
            "response_body_bytes", Kind.UINT64, "length that the response declares", "byte", nullable=True
        ),
        Column("authentication", Kind.TEXT, "scheme of the credentials that were sent: Basic, NTLM, Bearer"),
        Column("secret_seen", Kind.BOOL, "a password or token crossed in clear; it is not kept"),
        Column("upgrade", Kind.TEXT, "protocol that the connection was switched to"),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this transaction"),
        CONFIDENCE,
    ),
    stored=True,
)
