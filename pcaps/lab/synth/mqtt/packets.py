"""MQTT control packets as bytes, of 3.1.1 and of 5 (OASIS, chapters 2 and 3 of both)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

PORT: Final = 1883
TLS_PORT: Final = 8883

Version = Literal[4, 5]
#: A property's value; a user property is a pair, and may be there more than once.
PropertyValue = int | str | bytes | Sequence[tuple[str, str]]
Properties = Mapping[str, PropertyValue]

SUCCESS: Final = 0
#: Of 3.1.1 (3.2.2.3) and of 5 (2.4).
NOT_AUTHORISED: Final = {4: 5, 5: 0x87}
BAD_USER_NAME_OR_PASSWORD: Final = {4: 4, 5: 0x86}
SESSION_TAKEN_OVER: Final = 0x8E
PACKET_TOO_LARGE: Final = 0x95

#: Name -> number and form (MQTT 5, 2.2.2.2).
_PROPERTIES: Final = {
    "payload_format": (1, "B"),
    "message_expiry_s": (2, "I"),
    "content_type": (3, "text"),
    "response_topic": (8, "text"),
    "correlation": (9, "binary"),
    "subscription_id": (11, "variable"),
    "session_expiry_s": (17, "I"),
    "assigned_client_id": (18, "text"),
    "server_keep_alive_s": (19, "H"),
    "will_delay_s": (24, "I"),
    "reason": (31, "text"),
    "receive_maximum": (33, "H"),
    "topic_alias_maximum": (34, "H"),
    "topic_alias": (35, "H"),
    "user": (38, "pairs"),
    "maximum_packet_bytes": (39, "I"),
}


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes once the client is lost."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = field(default_factory=dict)


def connect(
    version: Version,
    client_id: str,
    *,
    keep_alive_s: int = 60,
    clean: bool = True,
    user_name: str | None = None,
    password: str | None = None,
    will: Will | None = None,
    properties: Properties | None = None,
) -> bytes:
    """CONNECT (3.1)."""
    flags = clean << 1 | (user_name is not None) << 7 | (password is not None) << 6
    body = text(client_id)
    if will:
        flags |= 1 << 2 | will.qos << 3 | will.retain << 5
        body += _properties(version, will.properties) + text(will.topic) + binary(will.payload)
    for secret in (user_name, password):
        body += text(secret) if secret is not None else b""
    head = text("MQTT") + bytes([version, flags]) + struct.pack("!H", keep_alive_s)
    return packet(0x10, head + _properties(version, properties) + body)


def connack(
    version: Version,
    code: int = SUCCESS,
    *,
    session_present: bool = False,
    properties: Properties | None = None,
) -> bytes:
    """CONNACK (3.2)."""
    return packet(0x20, bytes([session_present, code]) + _properties(version, properties))


def publish(
    version: Version,
    topic: str,
    payload: bytes,
    *,
    qos: int = 0,
    packet_id: int = 0,
    retain: bool = False,
    dup: bool = False,
    properties: Properties | None = None,
) -> bytes:
    """PUBLISH (3.3)."""
    head = text(topic) + (struct.pack("!H", packet_id) if qos else b"")
    return packet(0x30 | dup << 3 | qos << 1 | retain, head + _properties(version, properties) + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK (3.4): a QoS 1 publication has arrived."""
    return packet(0x40, struct.pack("!H", packet_id))


def pubrec(packet_id: int) -> bytes:
    """PUBREC (3.5), the first answer to a QoS 2 publication."""
    return packet(0x50, struct.pack("!H", packet_id))


def pubrel(packet_id: int) -> bytes:
    """PUBREL (3.6), the publisher's second word."""
    return packet(0x62, struct.pack("!H", packet_id))


def pubcomp(packet_id: int) -> bytes:
    """PUBCOMP (3.7): the delivery is complete."""
    return packet(0x70, struct.pack("!H", packet_id))


def subscribe(version: Version, packet_id: int, filters: Sequence[tuple[str, int]]) -> bytes:
    """SUBSCRIBE (3.8): filters with the QoS wanted."""
    body = b"".join(text(one) + bytes([qos]) for one, qos in filters)
    return packet(0x82, struct.pack("!H", packet_id) + _properties(version) + body)


def suback(version: Version, packet_id: int, codes: Sequence[int]) -> bytes:
    """SUBACK (3.9): the QoS granted, or 0x80 and up."""
    return packet(0x90, struct.pack("!H", packet_id) + _properties(version) + bytes(codes))


def unsubscribe(version: Version, packet_id: int, filters: Sequence[str]) -> bytes:
    """UNSUBSCRIBE (3.10)."""
    return packet(
        0xA2, struct.pack("!H", packet_id) + _properties(version) + b"".join(text(one) for one in filters)
    )


def unsuback(version: Version, packet_id: int, filters: int) -> bytes:
    """UNSUBACK (3.11); only version 5 says how each filter fared."""
    codes = bytes(filters) if version == 5 else b""
    return packet(0xB0, struct.pack("!H", packet_id) + _properties(version) + codes)


def pingreq() -> bytes:
    """PINGREQ (3.12)."""
    return packet(0xC0, b"")


def pingresp() -> bytes:
    """PINGRESP (3.13)."""
    return packet(0xD0, b"")


def disconnect(version: Version, code: int = SUCCESS) -> bytes:
    """DISCONNECT (3.14); a broker sends it in version 5 only, and then with its reason."""
    return packet(0xE0, bytes([code]) + _properties(version) if version == 5 and code else b"")


def packet(kind: int, body: bytes) -> bytes:
    """A control packet: its first byte, the rest's length (2.2.3), the rest."""
    return bytes([kind]) + variable(len(body)) + body


def text(value: str) -> bytes:
    """A UTF-8 string with its length (1.5.3)."""
    return binary(value.encode())


def binary(value: bytes) -> bytes:
    """Bytes with their length."""
    return struct.pack("!H", len(value)) + value


def variable(number: int) -> bytes:
    """A number in seven bits a byte (2.2.3)."""
    encoded = b""
    while True:
        digit, number = number & 0x7F, number >> 7
        encoded += bytes([digit | (0x80 if number else 0)])
        if not number:
            return encoded


def _properties(version: Version, properties: Properties | None = None) -> bytes:
    """What only version 5 has, with its length."""
    if version != 5:
        return b""
    body = b"".join(_property(name, value) for name, value in (properties or {}).items())
    return variable(len(body)) + body


def _property(name: str, value: PropertyValue) -> bytes:
    number, form = _PROPERTIES[name]
    head = bytes([number])
    match value:
        case str():
            return head + text(value)
        case bytes():
            return head + binary(value)
        case int():
            return head + (variable(value) if form == "variable" else struct.pack(f"!{form}", value))
        case _:
            return b"".join(head + text(key) + text(said) for key, said in value)
