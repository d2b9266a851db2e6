"""EtherNet/IP and CIP: our requests and answers beside Wireshark's `enip` layers and what they carry.

A packet of several messages, and one that wraps another, is what is inside it, in our table as here.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sensors.crosscheck.dissection import Message, Shown
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Row, column, number, ports
from sensors.crosscheck.protocols.cip_services import name
from sensors.crosscheck.protocols.operation import operation

#: Commands of the encapsulation that are operations of their own (CIP Networks Library, volume 2, 2-3.2).
_COMMANDS: Final = {
    0x04: "list services",
    0x63: "list identity",
    0x64: "list interfaces",
    0x65: "register session",
}
_REGISTER: Final = 0x65
#: Commands that carry CIP: SendRRData and SendUnitData.
_CARRIERS: Final = (0x6F, 0x70)

#: Set in the service of an answer.
_ANSWERS: Final = 0x80
_MULTIPLE, _UNCONNECTED_SEND = 0x0A, 0x52
_CONNECTION_MANAGER: Final = 6
#: Services of the connection manager whose object is the path that they connect to.
_CONNECTING: Final = (0x4E, 0x54, 0x5B)
#: More is to read than fitted: no failure (volume 1, appendix B-1).
_PARTIAL: Final = 6

#: Bytes of a value that we show.
_SHOWN_BYTES: Final = 32


def _split(message: Message) -> Iterator[Message]:
    """The encapsulated message, or each CIP message within it."""
    begins: list[int | None] = [*sorted({one.position for one in message.all("cip.service")}), None]
    if len(begins) == 1:
        yield message
    for begin, end in pairwise(begins):
        yield message.cut(begin or 0, end, "enip.")


def _service(message: Message) -> int | None:
    return message.number("cip.service")


def _path(message: Message) -> tuple[int, int]:
    """Where the path of a request lies: behind its service and length, which is in words."""
    found = message.all("cip.service")
    begin = found[0].position + 2 if found else 0
    return begin, begin + 2 * (message.number("cip.request_path_size") or 0)


def _number(found: list[Shown]) -> int | None:
    return int(found[0].text, 0) if found else None


def _class(message: Message) -> int | None:
    begin, end = _path(message)
    return _number([one for one in message.all("cip.class") if begin <= one.position < end])


def _part_of(message: Message, _: FrameFacts) -> str:
    command, status = message.number("enip.command"), message.number("enip.status")
    if command in _COMMANDS:
        answers = message.number("enip.session" if command == _REGISTER else "enip.length") or status
        return "response" if answers else "request"
    service = _service(message)
    if command not in _CARRIERS:
        return ""
    if service is None:
        # Refused before it reached any object.
        return "response" if status else ""
    if service & _ANSWERS:
        return "" if "cip.msp.num_services" in message.names else "response"
    wraps = service == _UNCONNECTED_SEND and _class(message) == _CONNECTION_MANAGER
    return "" if wraps or service == _MULTIPLE else "request"


def _operation(message: Message) -> str | None:
    service = _service(message)
    if service is None:
        return _COMMANDS.get(message.number("enip.command") or 0)
    return name(service & ~_ANSWERS, _class(message))


def _object(message: Message) -> str | None:
    """The object as we write it: a tag with its members and elements, or class, instance and attribute."""
    if (service := _service(message)) is None or service & _ANSWERS:
        return None
    manages = service in _CONNECTING and _class(message) == _CONNECTION_MANAGER
    begin, end = _path(message)

    def found(field: str) -> list[Shown]:
        every = message.all(field)
        return [one for one in every if (one.position >= end if manages else begin <= one.position < end)]

    parts = [(one.position, f".{one.text}") for one in found("cip.symbol")]
    if parts:
        parts += [(one.position, f"[{int(one.text, 0)}]") for one in found("cip.member")]
        return "".join(text for _, text in sorted(parts))[1:]
    named = [
        f"{word} {value}"
        for word in ("class", "instance", "attribute")
        if (value := _number(found(f"cip.{word}"))) is not None
    ]
    points = [f"point {int(one.text, 0)}" for one in found("cip.connpoint")]
    return " ".join(named + points) or None


def _route(message: Message) -> str | None:
    """The way through one port, where Wireshark shows it behind this message."""
    _, end = _path(message)
    port = [one for one in message.all("cip.port") if one.position >= end]
    link = [one for one in message.all("cip.linkaddress.byte") if one.position >= end]
    if len(port) != 1 or len(link) != 1:
        return None
    return f"port {_number(port)} address {_number(link)}"


def _status(message: Message) -> int | None:
    status = message.number("cip.genstat")
    if status is None:
        return message.number("enip.status")
    return 0 if status == _PARTIAL else status


def _our_status(row: Row) -> int:
    return int(row["error_code"] or 0)


def _additional(message: Message) -> str | None:
    found = message.numbers("cip.addstat") or message.numbers("cip.cm.ext_st")
    return f"0x{found[0]:04x}" if found else None


def _our_additional(row: Row) -> str | None:
    match = re.search(r"0x[0-9a-f]{4}$", row["detail"])
    return match[0] if match else None


def _hex(data: bytes) -> str:
    more = f"… ({len(data)} bytes)" if len(data) > _SHOWN_BYTES else ""
    return data[:_SHOWN_BYTES].hex() + more


#: Elementary data types (volume 1, appendix C-6).
_TYPES: Final = {
    0xC1: "BOOL",
    0xC2: "SINT",
    0xC3: "INT",
    0xC4: "DINT",
    0xC5: "LINT",
    0xCA: "REAL",
    0xCB: "LREAL",
    0xD0: "STRING",
    0x2A0: "structure",
}

_READ_TAG, _WRITE_TAG, _READ_PART, _WRITE_PART = 0x4C, 0x4D, 0x52, 0x53


def _tag_data(message: Message, *services: int) -> bytes | None:
    """What a request to a tag says behind its path."""
    if _service(message) not in services or _class(message) is not None:
        return None
    return message.octets("cip.data")


def _elements(message: Message) -> int | None:
    data = _tag_data(message, _READ_TAG, _READ_PART)
    if data is None and (data := _tag_data(message, _WRITE_TAG, _WRITE_PART)) is not None:
        data = data[2:]
    return struct.unpack_from("<H", data)[0] if data and len(data) >= 2 else None


def _written(message: Message) -> str | None:
    data = _tag_data(message, _WRITE_TAG, _WRITE_PART)
    if data is None:
        return None
    # Type and number of elements; for a part of them, where it begins.
    return _hex(data[8 if _service(message) == _WRITE_PART else 4 :])


def _written_type(message: Message) -> str | None:
    data = _tag_data(message, _WRITE_TAG, _WRITE_PART)
    return _TYPES.get(struct.unpack_from("<H", data)[0]) if data and len(data) >= 2 else None


def _value(message: Message) -> str | None:
    """What was read: of a tag its type, then its bytes."""
    data = message.octets("cip.data")
    if data is None or _status(message):
        return None
    if (_service(message) or 0) & ~_ANSWERS not in (_READ_TAG, _READ_PART):
        return _hex(data)
    if len(data) < 2:
        return None
    kind = struct.unpack_from("<H", data)[0]
    return f"{_TYPES.get(kind, f'type 0x{kind:04x}')} {_hex(data[2:])}"


def _session(message: Message) -> str | None:
    """The session that the server gave: later messages have its number."""
    if message.number("enip.command") != _REGISTER or message.number("enip.status"):
        return None
    return f"session 0x{message.number('enip.session') or 0:08x}"


def _revision(message: Message) -> str | None:
    found = message.number("enip.lir.revision")
    return None if found is None else f"{found >> 8}.{found & 0xFF:03}"


def _serial(message: Message) -> str | None:
    found = message.number("enip.lir.serial")
    return None if found is None else f"{found:08x}"


def _told(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{word} (\S+)")


def _our_identity(pattern: re.Pattern[str], row: Row) -> str | None:
    match = pattern.search(row["value"])
    return match[1] if match else None


_REVISION, _SERIAL = _told("revision"), _told("serial")


def _bundled(case: Case) -> str:
    message = case.message
    if case.row is not None and message is None and case.row["error_code"] is not None:
        return "ours: each message of a packet that was refused as a whole has failed; Wireshark shows one answer"
    return ""


ENIP: Final = operation(
    "enip",
    begins="enip",
    layers=("cip", "cipcm", "cipcls", "cippccc"),
    counted="enip.command",
    decode_as=(
        DecodeAs("enip", (44_818,), ports("enip")),
        DecodeAs("enip", (44_818, 2_222), ports("enip", "udp"), 17),
    ),
    part_of=_part_of,
    split=_split,
    identity=(
        lambda row, part: row["operation"] if part == "request" else "",
        lambda m: "" if (_service(m) or 0) & _ANSWERS else _operation(m) or "",
    ),
    because=(_bundled,),
    request=(
        Field("operation", column("operation"), _operation),
        Field("object", column("object"), _object),
        Field("route", column("server_station"), _route),
        Field("elements", column("quantity"), _elements),
        Field("value written", column("value"), _written),
        Field("type written", lambda row: row["detail"].partition(" -> ")[0], _written_type),
    ),
    response=(
        Field("status", _our_status, _status),
        Field(
            "additional status", _our_additional, _additional, when=lambda row: row["error_code"] is not None
        ),
        Field("its request", column("request_frame"), number("enip.response_to")),
        Field("response time", column("latency_ns"), lambda m: m.nanoseconds("enip.time")),
        Field("value read", column("value"), _value, when=lambda row: row["operation_class"] == "read"),
        Field("session", column("value"), _session),
        Field("revision", lambda row: _our_identity(_REVISION, row), _revision),
        Field("serial number", lambda row: _our_identity(_SERIAL, row), _serial),
    ),
)
