"""MQTT 3.1, 3.1.1 and 5: our transactions beside Wireshark's `mqtt` layers, one control packet each.

A row holds a packet and its answers, up to four of a QoS 2 delivery; Wireshark dissects each alone. Of user names and
passwords only their presence is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import Fact, FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Part, Protocol, Row, column, number, ports, text
from sensors.crosscheck.protocols.http import HTTP

_CONNECT, _CONNACK, _PUBLISH, _PUBREL, _PUBCOMP, _SUBSCRIBE = 1, 2, 3, 6, 7, 8

#: Packet types (MQTT 5.0, 2.1.2) as our rows name them.
_TYPES: Final = (
    "reserved",
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "pingreq",
    "pingresp",
    "disconnect",
    "auth",
)
_ANSWERS: Final = {"connect": 2, "subscribe": 9, "unsubscribe": 11, "pingreq": 13, "auth": 15}
_ANSWER_TYPES: Final = frozenset({2, 4, 5, 9, 11, 13})
_VERSIONS: Final = {3: "3.1", 4: "3.1.1", 5: "5"}

#: Property identifiers (MQTT 5.0, 2.2.2.2).
_MESSAGE_EXPIRY, _RESPONSE_TOPIC, _SESSION_EXPIRY = 0x02, 0x08, 0x11

#: What our columns keep: filters, and bytes of a topic.
_FILTERS_KEPT: Final = 64
_TOPIC_BYTES: Final = 1_024


def _of(kinds: tuple[int, ...], value: Callable[[Message], Any]) -> Callable[[Message], Any]:
    """A value that means the same as ours only in some packet types."""
    return lambda message: value(message) if message.number("mqtt.msgtype") in kinds else None


def _flag(name: str) -> Callable[[Message], bool | None]:
    def value(message: Message) -> bool | None:
        found = message.number(name)
        return None if found is None else bool(found)

    return value


def _length(message: Message) -> int | None:
    """The whole packet: type, length (MQTT 5.0, 1.5.5: seven bits a byte) and what it counts."""
    left = message.number("mqtt.len")
    return None if left is None else 1 + max(1, -(-left.bit_length() // 7)) + left


def _topic(message: Message) -> str | None:
    found = message.text("mqtt.topic")
    return None if found is None else found.encode()[:_TOPIC_BYTES].decode(errors="ignore")


def _payload(message: Message) -> int | None:
    """Length of a publication's payload; nothing to compare where Wireshark takes properties for payload."""
    if "mqtt.unknown_version" in message.names:
        return None
    octets = message.octets("mqtt.msg")
    return len(octets) if octets is not None else 0


def _property(identifier: int, *values: str) -> Callable[[Message], Any]:
    """A property's value, which stands right behind its identifier."""

    def value(message: Message) -> Any:
        places = [
            one.position + 1 for one in message.all("mqtt.property_id") if int(one.text, 16) == identifier
        ]
        for name in values:
            # A text has its length, of two bytes, before it.
            offset = 2 if name == "mqtt.prop_string" else 0
            for one in message.all(name):
                if one.position - offset in places:
                    return int(one.text) if one.text.isdecimal() and not offset else one.text
        return None

    return value


def _filters(message: Message) -> list[str] | None:
    return [one.text for one in message.all("mqtt.topic")][:_FILTERS_KEPT] or None


def _requested(message: Message) -> list[int] | None:
    found = message.numbers("mqtt.sub.qos") or message.numbers("mqtt.subscription_options_qos")
    return found[:_FILTERS_KEPT] or None


def _granted(message: Message) -> list[int] | None:
    codes = message.numbers("mqtt.suback.qos") or message.numbers("mqtt.suback.reason_code")
    return codes[:_FILTERS_KEPT] or None


def _reason(message: Message) -> int | None:
    """The code of an answer to one packet; a SUBACK has one a filter."""
    names = ("mqtt.conack.val", *(f"mqtt.{kind}.reason_code" for kind in ("connack", "puback", "pubrec")))
    return next((found for name in names if (found := message.number(name)) is not None), None)


def _part_of(message: Message, _: FrameFacts) -> str:
    kind = message.number("mqtt.msgtype")
    if kind is None or kind == 0:
        return ""
    if kind in _ANSWER_TYPES:
        return "answer"
    return {_PUBREL: "release", _PUBCOMP: "completion"}.get(kind, "packet")


def _type_of(row: Row, part: str) -> int:
    """The packet type of a part of our row."""
    kind = row["packet_type"]
    if part in ("release", "completion"):
        return _PUBREL if part == "release" else _PUBCOMP
    if part != "answer" or kind in ("connack", "puback", "pubrec", "suback", "unsuback", "pingresp"):
        return _TYPES.index(kind)
    if kind == "publish":
        return 4 if row["qos"] == 1 else 5
    return _ANSWERS.get(kind, 0)


def _part_of_row(row: Row, part: str) -> str:
    """A PUBREL whose PUBLISH was not seen has a row of its own, answered by the PUBCOMP."""
    if row["packet_type"] == "pubrel":
        return "completion" if part == "answer" else "release"
    return "completion" if row["packet_type"] == "pubcomp" else part


def _their_identity(message: Message) -> object:
    return (message.number("mqtt.msgtype"), message.number("mqtt.msgid"))


def _our_identity(row: Row, part: str) -> object:
    return (_type_of(row, part), row["packet_id"])


def _repeated(case: Case) -> str:
    """A packet that was sent again while it waited for its answer has no row of its own."""
    if case.message is None or case.row is not None:
        return ""
    if case.message.number("mqtt.dupflag") == 1:
        return "ours: a repetition (DUP, MQTT 5.0, 3.3.1.1) is counted in the first one's row"
    if case.facts.of(case.frame) & (Fact.RETRANSMISSION | Fact.COPY):
        return "ours: Wireshark dissects a segment that was sent again a second time"
    return ""


_COMMON: Final = (Field("packet id", column("packet_id"), number("mqtt.msgid")),)

_CONNECTION: Final = (
    Field("version", column("version"), lambda message: _VERSIONS.get(message.number("mqtt.ver") or 0)),
    Field("client id", column("client_id"), lambda m: m.text("mqtt.clientid") or None),
    Field("keep alive", column("keep_alive_s"), number("mqtt.kalive")),
    Field("clean start", column("clean_start"), _flag("mqtt.conflag.cleansess")),
    Field("user name present", column("has_user_name"), _flag("mqtt.conflag.uname")),
    Field("password present", column("has_password"), _flag("mqtt.conflag.passwd")),
    Field("will topic", column("will_topic"), text("mqtt.willtopic")),
    Field("will bytes", column("will_bytes"), number("mqtt.willmsg_len")),
    Field(
        "session expiry",
        column("session_expiry_s"),
        _of((_CONNECT, 14), _property(_SESSION_EXPIRY, "mqtt.prop_number")),
    ),
)

_PACKET: Final = Part(
    "packet",
    "request_frame",
    (
        Field("type", column("packet_type"), lambda m: _TYPES[m.number("mqtt.msgtype") or 0]),
        *_COMMON,
        Field("length", column("request_bytes"), _length),
        *_CONNECTION,
        Field("topic", column("topic"), _of((_PUBLISH,), _topic)),
        Field("topic alias", column("topic_alias"), _of((_PUBLISH,), number("mqtt.property.topic_alias"))),
        Field("QoS", column("qos"), _of((_PUBLISH,), number("mqtt.qos"))),
        Field("retain", column("retain"), _of((_PUBLISH,), _flag("mqtt.retain"))),
        Field("DUP", column("dup"), _of((_PUBLISH,), _flag("mqtt.dupflag"))),
        Field("payload bytes", column("payload_bytes"), _of((_PUBLISH,), _payload)),
        Field(
            "message expiry",
            column("message_expiry_s"),
            _of((_PUBLISH,), _property(_MESSAGE_EXPIRY, "mqtt.prop_number")),
        ),
        Field(
            "response topic",
            column("response_topic"),
            _of((_PUBLISH,), _property(_RESPONSE_TOPIC, "mqtt.prop_string")),
        ),
        Field("content type", column("content_type"), _of((_PUBLISH,), text("mqtt.property.content_type"))),
        Field(
            "user property keys",
            lambda row: [key.rpartition("will.")[2] for key in row["user_property_keys"]],
            lambda m: [one.text for one in m.all("mqtt.prop_key")] or None,
        ),
        Field("filters", column("filters"), _of((_SUBSCRIBE, 10), _filters)),
        Field("requested QoS", column("requested_qos"), _of((_SUBSCRIBE,), _requested)),
    ),
)

_ANSWER: Final = Part(
    "answer",
    "response_frame",
    (
        *_COMMON,
        Field("length", column("response_bytes"), _length),
        Field("reason code", lambda row: row["reason_code"] or 0, _reason),
        Field(
            "session present",
            column("session_present"),
            _of((_CONNACK,), _flag("mqtt.conack.flags.sp")),
        ),
        Field("granted", column("granted"), _granted),
    ),
)

MQTT: Final = Protocol(
    name="mqtt",
    table="mqtt",
    services=("mqtt",),
    begins="mqtt",
    layers=(),
    counted="mqtt.msgtype",
    decode_as=(
        DecodeAs(
            "mqtt",
            (1883,),
            ports("mqtt"),
            carried="tcp",
        ),
        DecodeAs(
            "mqtt",
            HTTP.decode_as[0].known,
            ports("http"),
            carried="websocket",
        ),
    ),
    carrier="transport",
    hidden_in="websocket",
    parts=(
        _PACKET,
        _ANSWER,
        Part("release", "pubrel_frame", _COMMON),
        Part("completion", "pubcomp_frame", _COMMON),
    ),
    part_of=_part_of,
    part_of_row=_part_of_row,
    our_identity=_our_identity,
    their_identity=_their_identity,
    because=(_repeated,),
)
