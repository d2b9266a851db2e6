"""DNS: our queries and answers beside Wireshark's `dns` layer, over UDP and TCP."""

from __future__ import annotations

import re
from typing import Any, Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import DecodeAs, Field, Part, Protocol, Row, column, number, ports

#: Answers of which only the number is kept: how many both count.
_TYPE: Final = re.compile(r"Type: (\S+)")


def _part_of(message: Message, _: FrameFacts) -> str:
    answer = message.number("dns.flags.response")
    return "" if answer is None else "response" if answer else "request"


def _query(message: Message) -> str | None:
    name = message.text("dns.qry.name")
    # Wireshark's word for the root (RFC 1035, 3.1), which has no name.
    return {"<Root>": ""}.get(name, name) if name is not None else None


def _query_type(message: Message) -> str | None:
    found = message.all("dns.qry.type")
    match = _TYPE.search(found[0].words) if found else None
    return match[1] if match and match[1] != "Unknown" else None


def _flag(name: str) -> Any:
    def value(message: Message) -> bool | None:
        found = message.number(name)
        return None if found is None else bool(found)

    return value


def _name(row: Row) -> str:
    return str(row["query"]).rstrip(".")


_QUERY: Final = (
    Field("transaction id", column("transaction_id"), number("dns.id")),
    Field("operation", column("opcode"), number("dns.flags.opcode")),
    Field("query", _name, _query),
    Field("query type", column("query_type"), _query_type),
)

DNS: Final = Protocol(
    name="dns",
    table="dns",
    services=("dns",),
    begins="dns",
    layers=(),
    counted="dns.id",
    decode_as=(DecodeAs("dns", (53,), ports("dns", "udp"), 17),),
    parts=(
        Part("request", "request_frame", _QUERY),
        Part(
            "response",
            "response_frame",
            (
                *_QUERY,
                Field("response code", column("rcode"), number("dns.flags.rcode")),
                Field("authoritative", column("authoritative"), _flag("dns.flags.authoritative")),
                Field("truncated", column("truncated"), _flag("dns.flags.truncated")),
                Field("answers", column("answer_count"), number("dns.count.answers")),
                Field("its request", column("request_frame"), number("dns.response_to")),
                Field("response time", column("latency_ns"), lambda m: m.nanoseconds("dns.time")),
            ),
        ),
    ),
    part_of=_part_of,
    our_identity=lambda row, _: row["transaction_id"],
    their_identity=lambda message: message.number("dns.id"),
)
