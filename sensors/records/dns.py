"""Queries for names, by DNS and its relatives."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, HALVES, TALKERS

DNS: Final = Table(
    "dns",
    "One row a DNS query and its answer, or a multicast DNS or LLMNR message to a group.",
    (
        Column("ts", Kind.TIMESTAMP, "the query, or the response where no query was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        *HALVES,
        Column("service", Kind.NAME, "dns, mdns or llmnr"),
        Column("transaction_id", Kind.UINT16, "identifier of the message"),
        Column("opcode", Kind.UINT8, "0 query, 4 notify, 5 update"),
        Column(
            "outcome",
            Kind.NAME,
            "answered, unanswered, orphan (a response nobody asked for), pending (capture ended), one_way (a "
            "message to or from a group, which nobody has to answer)",
        ),
        Column("query", Kind.TEXT, "the name asked for; of an announcement the first name told"),
        Column("query_type", Kind.TEXT, "A, AAAA, PTR and so on; TYPE and a number where it has no name"),
        Column("rcode", Kind.UINT8, "response code: 0 no error, 3 no such name, 5 refused", nullable=True),
        Column("authoritative", Kind.BOOL, "the answer comes from the zone's own server"),
        Column("truncated", Kind.BOOL, "the answer was too long for its datagram"),
        Column("answer_count", Kind.UINT16, "answers that the response says it has"),
        Column("answers", Kind.TEXT_LIST, "what they say; the first 16, at most 255 characters each"),
        Column("latency_ns", Kind.UINT64, "response minus query, where both were seen", "ns", nullable=True),
        Column("request_bytes", Kind.UINT32, "length of the query", "byte"),
        Column("response_bytes", Kind.UINT32, "length of the response", "byte"),
        CONFIDENCE,
    ),
    stored=True,
)
