"""MQTT by paho: publishers, subscribers, a will, and two clients with one name."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from typing import Any, Final, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from pcaps.lab.plant.layout import MQTT_PORT
from pcaps.lab.plant.stations.report import Counts, Line, ticks

_VERSIONS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}
_PATIENCE_S: Final = 10.0

Version = Literal["3.1.1", "5"]


def publish(
    server: str,
    client_id: str,
    topic: str,
    qos: int,
    seconds: float,
    period_ms: float,
    version: Version = "3.1.1",
    user: str = "",
    password: str = "",
) -> list[Line]:
    """Publish a value again and again; counted as answered where the broker took it over (QoS 1 and 2)."""
    counts, client = Counts("mqtt", server), _client(client_id, version)
    if user:
        client.username_pw_set(user, password)
    done = threading.Semaphore(0)

    def delivered(*_: Any) -> None:
        done.release()

    client.on_publish = delivered
    _connect(client, server, counts)
    sent = 0
    for number in ticks(seconds, period_ms / 1000):
        counts.asked(f"publish qos {qos}")
        client.publish(topic, json.dumps({"n": number, "value": 20 + number % 7}), qos=qos)
        sent += 1
    for _ in range(sent):
        if done.acquire(timeout=_PATIENCE_S) and qos:
            counts.answered(f"publish qos {qos}")
    client.disconnect()
    client.loop_stop()
    return counts.lines()


def subscribe(
    server: str, client_id: str, topics: Sequence[str], qos: int, seconds: float, version: Version = "5"
) -> list[Line]:
    """Subscribe, and listen for so long."""
    counts, client = Counts("mqtt", server), _client(client_id, version)
    granted = threading.Event()

    def taken(*_: Any) -> None:
        counts.answered("subscribe")
        granted.set()

    client.on_subscribe = taken
    _connect(client, server, counts)
    counts.asked("subscribe")
    client.subscribe([(topic, qos) for topic in topics])
    granted.wait(_PATIENCE_S)
    time.sleep(seconds)
    client.disconnect()
    client.loop_stop()
    return counts.lines()


def last_words(server: str, client_id: str, topic: str, payload: str) -> list[Line]:
    """Leave a retained will, then die without a goodbye: the broker publishes it."""
    counts, client = Counts("mqtt", server), _client(client_id, "3.1.1")
    client.will_set(topic, payload, qos=1, retain=True)
    _connect(client, server, counts)
    time.sleep(0.3)
    client.loop_stop()
    connection = client.socket()
    if not isinstance(connection, socket.socket):
        raise ConnectionError("the broker had closed the connection already")
    # Closing with nothing to linger for sends a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    time.sleep(0.5)
    return counts.lines()


def same_name(server: str, client_id: str) -> list[Line]:
    """Two clients with one identifier: the broker closes the first when the second comes."""
    counts = Counts("mqtt", server)
    first, second = _client(client_id, "3.1.1"), _client(client_id, "3.1.1")
    gone = threading.Event()

    def lost(*_: Any) -> None:
        gone.set()

    first.on_disconnect = lost
    _connect(first, server, counts)
    _connect(second, server, counts)
    if not gone.wait(_PATIENCE_S):
        raise TimeoutError("the broker let two clients with one name be")
    # paho comes again by itself, and would push the second one out.
    first.loop_stop()
    time.sleep(0.2)
    second.disconnect()
    second.loop_stop()
    return counts.lines()


def _client(client_id: str, version: Version) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=_VERSIONS[version])
    client.reconnect_delay_set(30, 60)
    return client


def _connect(client: paho.Client, server: str, counts: Counts) -> None:
    """Connected, with its loop running. Raises TimeoutError."""
    connected = threading.Event()

    def on_connect(*_: Any) -> None:
        counts.answered("connect")
        connected.set()

    client.on_connect = on_connect
    counts.asked("connect")
    client.connect(server, MQTT_PORT, keepalive=10)
    client.loop_start()
    if not connected.wait(_PATIENCE_S):
        raise TimeoutError(f"the broker at {server} does not answer")
