"""OPC UA binary: our transactions beside Wireshark's `opcua` layers, one message each.

Wireshark shows a message of several chunks at its last one, and reads bodies that are not encrypted; what it makes of
an encrypted body is noise (decoding of 4.0), so only the transport of those is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from sensors.crosscheck.dissection import Message, Shown
from sensors.crosscheck.facts import Fact, FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Part, Protocol, Row, column, number, ports, text
from sensors.crosscheck.protocols.http import HTTP

_PORT: Final = 4840
#: Operations that our list columns keep.
_KEPT: Final = 64

#: Messages with a request identifier (OPC 10000-6, 6.7.2), and connection messages by who sends them (7.1.2).
_NUMBERED: Final = ("OPN", "MSG", "CLO")
_CONNECTION: Final = {"HEL": "request", "RHE": "request", "ACK": "response", "ERR": "response"}

#: Types of requests whose nodes stand each before a known field (OPC 10000-4, 5.8 to 5.12).
_BEFORE_ATTRIBUTE: Final = (631, 673, 751)
_BROWSE: Final = 527

_SERVICE: Final = re.compile(r": (\w+) \(\d+\)$")


def _service(message: Message) -> str:
    """The name of the service's message, as ReadRequest; empty where Wireshark knows none."""
    found = message.all("opcua.servicenodeid.numeric")
    match = _SERVICE.search(found[0].words) if found else None
    return match[1] if match else ""


def _plain(message: Message) -> bool:
    """Whether the body is in clear: Wireshark knows its type, and it begins as one."""
    return bool(_service(message)) and "opcua.RequestHandle" in message.names


def _when_plain(value: Callable[[Message], Any]) -> Callable[[Message], Any]:
    return lambda message: value(message) if _plain(message) else None


def _of(kinds: Iterable[str], value: Callable[[Message], Any]) -> Callable[[Message], Any]:
    """A value that means the same as ours only in some kinds of message."""
    wanted = frozenset(kinds)
    return lambda message: value(message) if message.text("opcua.transport.type") in wanted else None


def _unchunked(value: Callable[[Message], Any]) -> Callable[[Message], Any]:
    """A length; that of the last chunk says nothing of the whole."""
    return lambda message: None if "opcua.fragments" in message.names else value(message)


def _service_name(message: Message) -> str | None:
    name = _service(message)
    return re.sub(r"(Request|Response)$", "", name) if _plain(message) and name != "ServiceFault" else None


def _policy(message: Message) -> str | None:
    uri = message.text("opcua.security.spu")
    return None if uri is None else uri.rpartition("#")[2]


_IDENTIFIERS: Final = {
    "opcua.nodeid.numeric": "i",
    "opcua.nodeid.string": "s",
    "opcua.nodeid.guid": "g",
    "opcua.nodeid.byteString": "b",
}


def _nodes(message: Message) -> list[str] | None:
    """The nodes that a request is about: those that stand right before a field that comes once with each."""
    kind = message.number("opcua.servicenodeid.numeric")
    if not _plain(message) or (kind not in _BEFORE_ATTRIBUTE and kind != _BROWSE):
        return None
    ends = message.all("opcua.BrowseDirection" if kind == _BROWSE else "opcua.AttributeId")
    identifiers = sorted(
        ((one.position, letter, one) for name, letter in _IDENTIFIERS.items() for one in message.all(name)),
        key=lambda found: found[0],
    )
    spaces = message.all("opcua.nodeid.nsindex") + message.all("opcua.nodeid.nsid")
    nodes = []
    for end in ends[:_KEPT]:
        before = [found for found in identifiers if found[0] < end.position]
        if not before:
            return None
        place, letter, one = before[-1]
        nodes.append(_node(place, letter, one, spaces))
    return nodes


def _node(place: int, letter: str, one: Shown, spaces: list[Shown]) -> str:
    """A node as text (OPC 10000-6, 5.3.1.10): its namespace stands in the bytes right before its identifier."""
    # Between them stands the length of a text or of bytes.
    reach = 6 if letter in "sb" else 2
    space = next((int(near.text, 0) for near in spaces if 0 < place - near.position <= reach), 0)
    return (f"ns={space};" if space else "") + f"{letter}={one.text}"


def _attributes(message: Message) -> list[str] | None:
    if not _plain(message) or message.number("opcua.servicenodeid.numeric") not in _BEFORE_ATTRIBUTE:
        return None
    if any(one.text for one in message.all("opcua.IndexRange")):
        return None
    names = (re.search(r": (\w+) \(", one.words) for one in message.all("opcua.AttributeId"))
    return [match[1] for match in names if match][:_KEPT]


def _part_of(message: Message, facts: FrameFacts) -> str:
    """Request or response: by the message's or the service's name, else by the lower port."""
    kind = message.text("opcua.transport.type")
    # Chunks before the last one, and what is no message, have no type or are marked.
    if kind is None or message.text("opcua.transport.chunk") == "C":
        return ""
    if kind in _CONNECTION:
        return _CONNECTION[kind]
    name = _service(message) if _plain(message) else ""
    if name:
        return "request" if name.endswith("Request") else "response"
    source, target = facts.ports(message.frame)
    return "request" if source > target else "response"


def _their_identity(message: Message) -> object:
    kind = message.text("opcua.transport.type")
    return message.number("opcua.security.rqid") if kind in _NUMBERED and _plain(message) else None


def _our_identity(row: Row, _: str) -> object:
    return row["request_id"] if row["message_type"] in _NUMBERED else None


def _no_body(case: Case) -> str:
    """A body that is none of its type: neither decoder can know what it says."""
    if case.ours is None and case.facts.of(case.frame) & Fact.MALFORMED:
        return "ours: the body breaks its type's encoding, as Wireshark says too; nothing of it is told"
    return ""


_REQUEST: Final = Part(
    "request",
    "request_frame",
    (
        Field("message type", column("message_type"), text("opcua.transport.type")),
        Field("length", column("request_bytes"), _unchunked(number("opcua.transport.size"))),
        Field("secure channel", column("channel_id"), _of(("MSG", "CLO"), number("opcua.transport.scid"))),
        Field("request id", column("request_id"), _when_plain(number("opcua.security.rqid"))),
        Field("service", column("service"), _service_name),
        Field("type", column("request_type"), _when_plain(number("opcua.servicenodeid.numeric"))),
        Field(
            "request handle",
            column("request_handle"),
            _when_plain(number("opcua.RequestHandle")),
            (_no_body,),
        ),
        Field("security policy", column("security_policy"), _policy),
        Field("endpoint", column("endpoint_url"), text("opcua.transport.endpoint")),
        Field("nodes", column("nodes"), _nodes),
        Field("attributes", column("attributes"), _attributes),
    ),
)

_RESPONSE: Final = Part(
    "response",
    "response_frame",
    (
        Field("length", column("response_bytes"), _unchunked(number("opcua.transport.size"))),
        Field("secure channel", column("channel_id"), _of(("OPN", "MSG"), number("opcua.transport.scid"))),
        Field("request id", column("request_id"), _when_plain(number("opcua.security.rqid"))),
        Field("service", column("service"), _service_name),
        Field("type", column("response_type"), _when_plain(number("opcua.servicenodeid.numeric"))),
        Field(
            "request handle",
            column("request_handle"),
            _when_plain(number("opcua.RequestHandle")),
            (_no_body,),
        ),
        Field(
            "service result",
            column("status"),
            _when_plain(number("opcua.ServiceResult")),
            (_no_body,),
        ),
    ),
)

OPCUA: Final = Protocol(
    name="opcua",
    table="opcua",
    services=("opcua",),
    begins="opcua",
    layers=(),
    counted="opcua.transport.size",
    decode_as=(
        DecodeAs(
            "opcua",
            (_PORT,),
            ports("opcua"),
            carried="tcp",
        ),
        DecodeAs(
            "opcua",
            HTTP.decode_as[0].known,
            ports("http"),
            carried="websocket",
        ),
    ),
    carrier="transport",
    hidden_in="websocket",
    parts=(_REQUEST, _RESPONSE),
    part_of=_part_of,
    our_identity=_our_identity,
    their_identity=_their_identity,
)
