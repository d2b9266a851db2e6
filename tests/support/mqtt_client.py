"""A real MQTT client (paho) that notes what it sends and receives, and the rows of what was captured of it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as paho
import polars as pl
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from sensors.engine import EngineLimits, Summary, decode

V31, V311, V5 = MQTTProtocolVersion.MQTTv31, MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
WORDS = {V31: "3.1", V311: "3.1.1", V5: "5"}

#: Packet types, in the order of their numbers from 1.
PACKETS = [
    *("connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback"),
    *("unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"),
]

#: Topic, QoS, retain, payload bytes.
Message = tuple[str, int, bool, int]


@dataclass
class Client:
    """A paho client that notes what it sends and receives."""

    name: str
    version: MQTTProtocolVersion
    transport: Literal["tcp", "websockets"] = "tcp"
    sent: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    granted: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self.name, protocol=self.version, transport=self.transport
        )
        self._connected, self._subscribed, self._unsubscribed = (threading.Event() for _ in range(3))
        self._arrived = threading.Condition()
        self.paho.on_connect = lambda *_: self._connected.set()
        self.paho.on_subscribe = self._note_granted
        self.paho.on_unsubscribe = lambda *_: self._unsubscribed.set()
        self.paho.on_message = self._note_message

    def connect(self, address: tuple[str, int], **more: Any) -> None:
        self.paho.connect(*address, keepalive=30, **more)
        self.paho.loop_start()
        assert self._connected.wait(60)

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        asked = (
            [(name, SubscribeOptions(qos=qos)) for name, qos in filters] if self.version == V5 else filters
        )
        self._subscribed.clear()
        self.paho.subscribe(asked)
        assert self._subscribed.wait(60)

    def unsubscribe(self, topic: str) -> None:
        """Until the broker has agreed: what it delivered before is acknowledged by then."""
        self._unsubscribed.clear()
        self.paho.unsubscribe(topic)
        assert self._unsubscribed.wait(60)

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, **more: Any) -> None:
        self.sent.append((topic, qos, retain, len(payload)))
        self.paho.publish(topic, payload, qos, retain, **more).wait_for_publish(60)

    def wait_for(self, count: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, 10), self.received

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def _note_granted(self, _client: Any, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        self.granted.append([code.value for code in codes])
        self._subscribed.set()

    def _note_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._arrived:
            self.received.append((message.topic, message.qos, message.retain, len(message.payload)))
            self._arrived.notify_all()


@dataclass
class Talk:
    """What was captured of a test's conversations."""

    rows: pl.DataFrame
    anomalies: pl.DataFrame
    summary: Summary
    path: Path

    def of(self, client: str, **wanted: str) -> pl.DataFrame:
        """The rows of a client, of a packet type and direction."""
        conditions = [pl.col(name) == value for name, value in wanted.items()]
        return self.rows.filter(pl.col("client_id") == client, *conditions)

    def messages(self, client: str, direction: str) -> Counter[Message]:
        published = self.of(client, packet_type="publish", direction=direction)
        return Counter(published.select("topic", "qos", "retain", "payload_bytes").rows())


def properties_of(packet: int) -> Any:
    """Empty properties of a packet type; paho does not say their type."""
    return Properties(packet)  # type: ignore[no-untyped-call]


def read(path: Path, limits: EngineLimits | None = None) -> Talk:
    """The rows of a capture, names as text."""
    tables: dict[str, list[pl.DataFrame]] = {"mqtt": [], "anomalies": []}
    with decode(path, limits=limits) as run:
        for batches in run:
            for name, found in tables.items():
                if (batch := batches.get(name)) is not None:
                    found.append(pl.DataFrame(batch).with_columns(pl.selectors.categorical().cast(pl.String)))
        summary = run.summary()
    rows, anomalies = (pl.concat(found) if found else pl.DataFrame() for found in tables.values())
    return Talk(rows, anomalies, summary, path)
