"""MQTT control packets and their answers."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, TALKERS, TRANSPORT

_EXCHANGE: Final = (
    Column("request_frame", Kind.UINT64, "frame that completed the packet", nullable=True),
    Column(
        "response_frame",
        Kind.UINT64,
        "frame that completed its answer: CONNACK, PUBACK, PUBREC, SUBACK and so on",
        nullable=True,
    ),
    Column("pubrel_frame", Kind.UINT64, "frame of the PUBREL of a QoS 2 delivery", nullable=True),
    Column("pubcomp_frame", Kind.UINT64, "frame of the PUBCOMP that ended a QoS 2 delivery", nullable=True),
    Column("packet_type", Kind.NAME, "connect, publish, subscribe, pingreq and so on; an orphan's own type"),
    Column("direction", Kind.NAME, "client_to_broker or broker_to_client: who sent that packet"),
    Column(
        "version",
        Kind.NAME,
        "3.1, 3.1.1 or 5 by the CONNECT; without one, 3 or 5 where only that version has such a packet",
    ),
    TRANSPORT,
    Column("client_id", Kind.TEXT, "the connection's client identifier, once its CONNECT was seen"),
    Column(
        "outcome",
        Kind.NAME,
        "answered, refused (a reason code of failure), unanswered, orphan (an answer nobody asked for), "
        "one_way (nothing answers it), pending (capture ended)",
    ),
    Column("reason_code", Kind.UINT8, "the answer's code; a SUBACK's first failure", nullable=True),
    Column("reason", Kind.NAME, "the code's name in MQTT 5 (2.4), for older return codes too"),
    Column("latency_ns", Kind.UINT64, "answer minus packet, where both were seen", "ns", nullable=True),
    Column(
        "operation_class",
        Kind.NAME,
        "what it does: Sparkplug commands write (or restart, configure), subscriptions read",
    ),
)

_PUBLICATION: Final = (
    Column("topic", Kind.TEXT, "topic of a publication, aliases resolved; the first 1,024 bytes"),
    Column("topic_alias", Kind.UINT16, "the alias, where one was sent", nullable=True),
    Column("qos", Kind.UINT8, "0, 1 or 2, of a publication", nullable=True),
    Column("retain", Kind.BOOL, "the broker keeps it, or had kept it"),
    Column("dup", Kind.BOOL, "its sender says that it was sent before"),
    Column("retries", Kind.UINT16, "repetitions that came while it waited; they have no rows of their own"),
    Column("packet_id", Kind.UINT16, "packet identifier, where the packet has one", nullable=True),
    Column(
        "payload_bytes",
        Kind.UINT32,
        "length of a publication's payload; 1 too many while the version is unknown",
        "byte",
    ),
    Column(
        "payload_kind", Kind.NAME, "what it looks like: json, text, sparkplug_b, binary, empty; never kept"
    ),
)

_CONNECTION: Final = (
    Column("has_user_name", Kind.BOOL, "a CONNECT with a user name"),
    Column("user_name", Kind.TEXT, "the user name, or its hash: setting mqtt_user_names"),
    Column("has_password", Kind.BOOL, "a CONNECT with a password, which is never kept"),
    Column("clean_start", Kind.BOOL, "a CONNECT that ends the session before"),
    Column("session_present", Kind.BOOL, "the broker had a session of this client"),
    Column("keep_alive_s", Kind.UINT16, "0 turns it off", "s", nullable=True),
    Column("session_expiry_s", Kind.UINT32, "of a CONNECT or DISCONNECT of MQTT 5", "s", nullable=True),
    Column("will_topic", Kind.TEXT, "where the broker publishes once the client is lost"),
    Column("will_qos", Kind.UINT8, "QoS of the will", nullable=True),
    Column("will_retain", Kind.BOOL, "the will is kept by the broker"),
    Column("will_bytes", Kind.UINT32, "length of the will's payload", "byte", nullable=True),
)

_SUBSCRIPTION: Final = (
    Column("filters", Kind.TEXT_LIST, "topic filters of a SUBSCRIBE or UNSUBSCRIBE; the first 64"),
    Column("requested_qos", Kind.UINT16_LIST, "QoS asked for, by filter"),
    Column("granted", Kind.UINT16_LIST, "codes of the answer, by filter: QoS granted, 128 and up refused"),
)

_PROPERTIES: Final = (
    Column("message_expiry_s", Kind.UINT32, "a publication's message expiry", "s", nullable=True),
    Column("response_topic", Kind.TEXT, "where the answer of a request is to be published"),
    Column("has_correlation", Kind.BOOL, "correlation data was sent; it is not kept"),
    Column("content_type", Kind.TEXT, "a publication's content type"),
    Column("user_property_count", Kind.UINT16, "user properties, the answer's included"),
    Column("user_property_keys", Kind.TEXT_LIST, "their keys, the first 32; values are not kept"),
    Column(
        "properties",
        Kind.TEXT_LIST,
        "all others as name=value, the first 32; the will's and the answer's with a prefix: "
        "connack.topic_alias_maximum=10",
    ),
)

_SPARKPLUG: Final = (
    Column("sparkplug_type", Kind.NAME, "nbirth, ndeath, dbirth, ddeath, ndata, ddata, ncmd, dcmd, state"),
    Column("sparkplug_group", Kind.TEXT, "group of the topic"),
    Column("sparkplug_node", Kind.TEXT, "edge node of the topic; the host application of a state"),
    Column("sparkplug_device", Kind.TEXT, "device of the topic"),
    Column("sparkplug_seq", Kind.UINT64, "sequence number, 0 to 255 and round again", nullable=True),
    Column("sparkplug_bd_seq", Kind.UINT64, "bdSeq of a birth or death", nullable=True),
    Column("sparkplug_ts", Kind.TIMESTAMP, "when the sender says it sent", "ns", nullable=True),
    Column("metric_count", Kind.UINT32, "metrics in the payload"),
    Column("metric_names", Kind.TEXT_LIST, "their names, aliases resolved by births; the first 128"),
    Column("metric_types", Kind.TEXT_LIST, "their datatypes (Sparkplug 3.0, 6.4); empty where unknown"),
    Column("metric_values", Kind.TEXT_LIST, "their values as text; null, and the kind of a structure"),
)

MQTT: Final = Table(
    "mqtt",
    "One row an MQTT transaction: a packet and what answered it.",
    (
        Column("ts", Kind.TIMESTAMP, "the packet, or the answer where no packet was seen", "ns"),
        FLOW_ID,
        *TALKERS,
        *_EXCHANGE,
        *_PUBLICATION,
        *_CONNECTION,
        *_SUBSCRIPTION,
        *_PROPERTIES,
        *_SPARKPLUG,
        Column("detail", Kind.TEXT, "what has no column of its own: what a command writes, what is wrong"),
        Column("request_bytes", Kind.UINT32, "length of the packet", "byte"),
        Column("response_bytes", Kind.UINT32, "length of its answer", "byte"),
        Column("after_gap", Kind.BOOL, "a gap in the stream may have touched this transaction"),
        CONFIDENCE,
    ),
    stored=True,
)
