"""A shared capture and what is lost of it in; which messages are outside of the damage, and what was read, out.

Outside of the damage is a message
    * whose bytes are all carried by frames that are left, and
    * whose beginning a reader can know: it follows one that can be read, or begins where a segment that is left begins.
What is outside has to be read as in the whole capture. What is read has to be a message of the whole capture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.sensors.talks import Rows, decoded
from tests.shared_captures.captures import FOLDER
from tests.support.byte_streams import (
    ACK,
    SYN,
    Connection,
    End,
    UnitLength,
    connections,
    readable,
    segment,
    units,
)
from tests.support.pcap_records import Record, as_pcap, records

Row = dict[str, Any]

#: Columns that say where in the capture a row was read, not what.
_PLACES: Final = ("flow_id", "after_gap", "confidence")


@dataclass(frozen=True, slots=True)
class Messages:
    """How to find a protocol's messages in bytes and in our rows."""

    table: str
    service: str
    unit_length: UnitLength
    #: A unit's bytes -> what tells it from its neighbours.
    identity: Callable[[bytes], object]
    #: Our row -> the same, for each frame column that is not null.
    of_row: Callable[[Row], Iterator[tuple[str, object]]]
    #: Whether the other rows of a connection say less where this one is lost: its version, who talks, what an alias is.
    is_context: Callable[[Row], bool] = lambda row: False
    #: What a transaction shares with those that it can be taken for, once a part is lost.
    mistaken_for: Callable[[Row], object] = lambda row: (row["transaction_id"], row["unit"], row["function"])


def modbus_length(data: bytes) -> int:
    """The length of a Modbus/TCP unit (MODBUS Messaging on TCP/IP V1.0b, 3.1.3)."""
    if len(data) < 8:
        return 0
    if data[2:4] != b"\0\0" or not 2 <= int.from_bytes(data[4:6], "big") <= 254:
        return -1
    return 6 + int.from_bytes(data[4:6], "big")


def _modbus_of_row(row: Row) -> Iterator[tuple[str, object]]:
    for column in ("request_frame", "response_frame"):
        if row[column] is not None:
            yield column, (row["transaction_id"], row["unit"], row["function"])


MODBUS: Final = Messages(
    "modbus",
    "modbus",
    modbus_length,
    lambda unit: (int.from_bytes(unit[:2], "big"), unit[6], unit[7] & 0x7F),
    _modbus_of_row,
)


def mqtt_length(data: bytes) -> int:
    """The length of an MQTT control packet (MQTT 5.0, 2.1.4)."""
    length = 0
    for place in range(4):
        if len(data) < place + 2:
            return 0
        length |= (data[place + 1] & 0x7F) << 7 * place
        if data[place + 1] < 0x80:
            return place + 2 + length
    return -1


def _mqtt_identity(unit: bytes) -> object:
    """Type and packet identifier (MQTT 5.0, 2.2.1)."""
    kind = unit[0] >> 4
    at = next(place for place in range(1, 5) if unit[place] < 0x80) + 1
    if kind == 3:
        if not unit[0] & 6:
            return (kind, None)
        at += 2 + int.from_bytes(unit[at : at + 2], "big")
    elif kind not in (4, 5, 6, 7, 8, 9, 10, 11):
        return (kind, None)
    return (kind, int.from_bytes(unit[at : at + 2], "big"))


_MQTT_TYPES: Final = [
    *("reserved", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp"),
    *("subscribe", "suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"),
]
_MQTT_ANSWERS: Final = {
    "connect": 2,
    "subscribe": 9,
    "unsubscribe": 11,
    "pingreq": 13,
    "auth": 15,
    "pubrel": 7,
}


def _mqtt_of_row(row: Row) -> Iterator[tuple[str, object]]:
    kind = _MQTT_TYPES.index(row["packet_type"])
    answer = 3 + row["qos"] if kind == 3 else _MQTT_ANSWERS.get(row["packet_type"], kind)
    for column, one in (
        ("request_frame", kind),
        ("response_frame", answer),
        ("pubrel_frame", 6),
        ("pubcomp_frame", 7),
    ):
        if row[column] is not None:
            yield column, (one, row["packet_id"])


MQTT: Final = Messages(
    "mqtt",
    "mqtt",
    mqtt_length,
    _mqtt_identity,
    _mqtt_of_row,
    lambda row: row["packet_type"] == "connect",
    lambda row: (row["packet_type"], row["packet_id"]),
)


_OPCUA_TYPES: Final = (b"HEL", b"ACK", b"ERR", b"RHE", b"OPN", b"MSG", b"CLO")


def opcua_length(data: bytes) -> int:
    """The length of an OPC UA message chunk (OPC 10000-6, 6.7.2.2)."""
    if len(data) < 8:
        return 0
    if data[:3] not in _OPCUA_TYPES or data[3:4] not in (b"F", b"C", b"A"):
        return -1
    return int.from_bytes(data[4:8], "little") or -1


def _opcua_identity(unit: bytes) -> object:
    """The type: under encryption there is nothing else to know a message by."""
    return None if unit[3:4] == b"C" else unit[:3].decode()


def _opcua_of_row(row: Row) -> Iterator[tuple[str, object]]:
    kind = row["message_type"]
    if row["request_frame"] is not None:
        yield "request_frame", kind
    if row["response_frame"] is not None:
        answer = "ERR" if row["outcome"] == "exception" else "ACK"
        yield "response_frame", answer if kind == "HEL" else kind


OPCUA: Final = Messages(
    "opcua",
    "opcua",
    opcua_length,
    _opcua_identity,
    _opcua_of_row,
    lambda row: (
        row["message_type"] in ("HEL", "OPN") or row["service"] in ("CreateSession", "ActivateSession")
    ),
    lambda row: (row["message_type"], row["request_id"]),
)

PROTOCOLS: Final = (
    MODBUS,
    OPCUA,
    MQTT,
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A capture as it is."""

    name: str
    frames: list[Record]
    connections: list[Connection]
    rows: Rows


@cache
def whole(name: str) -> Whole:
    """A shared capture, its connections by the yardstick, and our rows of it."""
    frames = records(FOLDER / name)
    return Whole(name, frames, connections(frames), decoded(FOLDER / name))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A capture without some of its frames."""

    whole: Whole
    lost: frozenset[int]
    rows: Rows
    #: New frame number -> the old one.
    old: Mapping[int, int]


def without(folder: Path, original: Whole, lost: frozenset[int]) -> Damaged:
    """Decode what is left of a capture."""
    left = [number for number in range(1, len(original.frames) + 1) if number not in lost]
    file = folder / "damaged.pcap"
    file.write_bytes(as_pcap(original.frames[number - 1] for number in left))
    return Damaged(original, lost, decoded(file), dict(enumerate(left, 1)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that the yardstick finds in the whole capture."""

    sender: End
    identity: object
    #: The frames that carry its last byte.
    carriers: frozenset[int]
    outside: bool


def messages(damaged: Damaged, protocol: Messages) -> list[Seen]:
    """Every message of the protocol's connections, and whether it is outside of the damage."""
    ends = {
        frozenset(((flow["client_ip"], flow["client_port"]), (flow["server_ip"], flow["server_port"])))
        for flow in damaged.whole.rows["flows"]
        if flow["service"] == protocol.service
    }
    found: list[Seen] = []
    for connection in damaged.whole.connections:
        if frozenset(connection.sides) not in ends and len(connection.sides) == 2:
            continue
        for sender, side in connection.sides.items():
            spans = units(side, protocol.unit_length)
            content = side.content()
            answers = readable(side, spans, damaged.lost)
            for (start, end), outside in zip(spans, answers, strict=True):
                (carriers,) = side.carriers(end - 1, end)
                # A part of a message that goes on is no message.
                if (identity := protocol.identity(content[start:end])) is None:
                    continue
                found.append(Seen(sender, identity, frozenset(carriers), outside))
    return found


def read(damaged: Damaged, protocol: Messages) -> list[tuple[int, object, str, Row]]:
    """Every message that we read: (old frame, identity, frame column, row)."""
    return [
        (damaged.old[row[column]], identity, column, row)
        for row in damaged.rows.get(protocol.table, [])
        for column, identity in protocol.of_row(row)
    ]


def unread(damaged: Damaged, protocol: Messages) -> list[Seen]:
    """Messages outside of the damage that we did not read, or not often enough."""
    ours = Counter((frame, identity) for frame, identity, _, _ in read(damaged, protocol))
    missing = []
    for one in messages(damaged, protocol):
        if not one.outside:
            continue
        place = next((frame for frame in sorted(one.carriers) if ours[frame, one.identity]), None)
        if place is None:
            missing.append(one)
        else:
            ours[place, one.identity] -= 1
    return missing


def invented(damaged: Damaged, protocol: Messages) -> list[tuple[int, object]]:
    """Messages that we read and that are none of the whole capture."""
    there = {(frame, one.identity) for one in messages(damaged, protocol) for frame in one.carriers}
    ours = [(frame, identity) for frame, identity, _, _ in read(damaged, protocol)]
    return [one for one in ours if one not in there]


def handshakes(original: Whole) -> frozenset[int]:
    """Every SYN and SYN-ACK, and the ACK that ends the handshake."""
    frames = set()
    for connection in original.connections:
        opening = True
        for number in connection.frames:
            one = segment(number, original.frames[number - 1])
            assert one is not None
            if one.flags & SYN:
                frames.add(number)
            elif opening and frames & set(connection.frames) and not one.length and one.flags == ACK:
                frames.add(number)
                opening = False
            else:
                opening = False
    return frozenset(frames)


def content(row: Row, frames: Mapping[int, int]) -> tuple[tuple[str, str], ...]:
    """What a row says, its frames by their numbers in the whole capture."""
    return tuple(
        (key, repr(frames.get(value, value) if key.endswith("_frame") else value))
        for key, value in sorted(row.items())
        if key not in _PLACES
    )
