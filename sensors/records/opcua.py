"""OPC UA service calls and connection events."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, HALVES, TALKERS, TRANSPORT

OPCUA: Final = Table(
    "opcua",
    "One row an OPC UA transaction: a service call, or a step of its connection; the client is who asks, "
    "whoever opened the TCP connection.",
    (
        Column("ts", Kind.TIMESTAMP, "the request, or the response where no request was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        TRANSPORT,
        *HALVES,
        Column(
            "message_type",
            Kind.NAME,
            "HEL (answered by ACK), OPN, MSG (a service call), CLO, ERR, RHE (reverse hello)",
        ),
        Column("service", Kind.NAME, "name of the service; empty where it is none or cannot be read"),
        Column(
            "operation_class", Kind.NAME, "what it does to the server: read, write, call, configure and so on"
        ),
        Column(
            "outcome",
            Kind.NAME,
            "answered, exception (fault, error or bad result), unanswered, orphan (a response nobody asked for), "
            "pending (capture ended), one_way (no response belongs to it), aborted, "
            "encrypted (which request and response belong together cannot be read)",
        ),
        Column("request_type", Kind.UINT32, "number of the request's type (OPC 10000-6, A.3)", nullable=True),
        Column("response_type", Kind.UINT32, "number of the response's type; 397 is a fault", nullable=True),
        Column("channel_id", Kind.UINT32, "secure channel", nullable=True),
        Column("request_id", Kind.UINT32, "identifier that pairs a request and its response", nullable=True),
        Column("request_handle", Kind.UINT32, "the client's own number of the request", nullable=True),
        Column(
            "security_policy",
            Kind.TEXT,
            "name of the channel's security policy, such as None or Basic256Sha256; empty where no opening was seen",
        ),
        Column(
            "security_mode",
            Kind.NAME,
            "none; sign and sign_and_encrypt as their messages show; sign_or_encrypt until one has; "
            "unknown where no opening was seen",
        ),
        Column(
            "session",
            Kind.TEXT,
            "the session's node; #1, #2 where its creation was not seen; empty without one",
        ),
        Column(
            "user_kind",
            Kind.NAME,
            "who uses the session: anonymous, user_name, certificate, issued; unknown where that was not seen",
        ),
        Column("user_name", Kind.TEXT, "the user's name, or the subject of their certificate"),
        Column(
            "secret",
            Kind.NAME,
            "of an activation: whether a password or token was in it, clear or encrypted; it is never kept",
        ),
        Column("application_uri", Kind.TEXT, "the client's application, as it or its certificate says"),
        Column("client_certificate_subject", Kind.TEXT, "of a channel's opening (RFC 4514)"),
        Column("client_certificate_thumbprint", Kind.TEXT, "of a channel's opening: SHA-1, hex"),
        Column("server_certificate_subject", Kind.TEXT, "of a channel's opening (RFC 4514)"),
        Column("server_certificate_thumbprint", Kind.TEXT, "of a channel's opening: SHA-1, hex"),
        Column(
            "endpoint_url",
            Kind.TEXT,
            "the endpoint that the client wants, of HEL, RHE, CreateSession and discovery",
        ),
        Column("subscription_id", Kind.UINT32, "the subscription that is meant", nullable=True),
        Column(
            "status", Kind.UINT32, "the service's result, or the code of an error or abort", nullable=True
        ),
        Column("status_name", Kind.TEXT, "name of the status code, or its number in hex"),
        Column(
            "nodes",
            Kind.TEXT_LIST,
            "nodes read, written, called (methods), browsed, watched, added or deleted; the first 64; "
            "registered nodes by their own names",
        ),
        Column(
            "objects",
            Kind.TEXT_LIST,
            "objects that methods are called on, parents of added nodes; the first 64",
        ),
        Column(
            "attributes",
            Kind.TEXT_LIST,
            "the nodes' attributes, with the range where one is meant; browse paths; kinds of history updates",
        ),
        Column(
            "values_written",
            Kind.TEXT_LIST,
            "values written, arguments of calls, names of added nodes; the first 64",
        ),
        Column(
            "values_read",
            Kind.TEXT_LIST,
            "values read or told, results of calls, references, endpoints, added nodes; the first 64",
        ),
        Column("results", Kind.TEXT_LIST, "status of each operation; the first 64"),
        Column("operations", Kind.UINT32, "operations in all, also those that the lists have no room for"),
        Column("operations_failed", Kind.UINT32, "operations whose status is bad, of all"),
        Column(
            "latency_ns", Kind.UINT64, "response minus request, where both were seen", "ns", nullable=True
        ),
        Column("request_chunks", Kind.UINT32, "chunks of the request"),
        Column("response_chunks", Kind.UINT32, "chunks of the response"),
        Column("request_bytes", Kind.UINT64, "length of the request's chunks", "byte"),
        Column("response_bytes", Kind.UINT64, "length of the response's chunks", "byte"),
        Column("detail", Kind.TEXT, "what has no column of its own"),
        Column("encrypted", Kind.BOOL, "a body was encrypted: what it says is not known"),
        Column(
            "reversed",
            Kind.BOOL,
            "the server opened the TCP connection: the flow's client is this row's server",
        ),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this transaction"),
        CONFIDENCE,
    ),
    stored=True,
)
