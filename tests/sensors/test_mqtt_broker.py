"""What a real client (paho) says that it sent to and received from a real broker (mosquitto) is what the rows say."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes

from sensors.engine import EngineLimits, UserNames
from tests.support.mosquitto import Mosquitto, needs_mosquitto
from tests.support.mqtt_client import PACKETS, V5, V31, V311, WORDS, Client, properties_of, read
from tests.support.recording_proxy import RecordingProxy

pytestmark = needs_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as running:
        yield running


def packets_of_wireshark(path: Path, port: int) -> dict[str, int]:
    """How many packets of each type tshark counts."""
    if shutil.which("tshark") is None:
        pytest.skip("no tshark here")
    told = subprocess.run(
        ["tshark", "-r", str(path), "-d", f"tcp.port=={port},mqtt", "-T", "fields", "-e", "mqtt.msgtype"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    numbers = [number for line in told.split("\n") for number in line.split(",") if number]
    return dict(Counter(PACKETS[int(number) - 1] for number in numbers))


@pytest.mark.parametrize("version", [V31, V311, V5], ids=WORDS.get)
def test_every_quality_of_delivery_in_every_version(
    broker: Mosquitto, tmp_path: Path, version: MQTTProtocolVersion
) -> None:
    sender, reader = Client("press-7", version), Client("historian", version)
    with RecordingProxy(("127.0.0.1", broker.port), server_port=1883) as proxy:
        sender.paho.will_set("plant/press-7/state", b"lost", qos=1, retain=True)
        sender.paho.username_pw_set("maintenance", "hunter2-secret")
        sender.connect(proxy.address)
        sender.publish("plant/limit", b"80", qos=1, retain=True)
        reader.connect(proxy.address)
        reader.subscribe([("plant/#", 2), ("other/+", 0)])
        reader.wait_for(1)
        for qos in (0, 1, 2):
            sender.publish(f"plant/{qos}", b'{"v": 1}' * (qos + 1), qos=qos)
        sender.publish("other/a", b"\x00\x01", qos=2)
        sender.publish("plant/long", b"x" * 100_000, qos=1)
        reader.wait_for(6)
        reader.unsubscribe("other/+")
        sender.close()
        reader.close()
    talk = read(proxy.write(tmp_path / "talk.pcap"))
    assert talk.messages("press-7", "client_to_broker") == Counter(sender.sent)
    assert talk.messages("historian", "broker_to_client") == Counter(reader.received)
    assert set(talk.rows["version"]) == {WORDS[version]}
    assert set(talk.rows["confidence"]) == {"handshake"}
    assert talk.anomalies.is_empty()
    connect = talk.of("press-7", packet_type="connect").row(0, named=True)
    assert (connect["user_name"], connect["has_password"]) == ("maintenance", True)
    assert (connect["will_topic"], connect["will_qos"], connect["will_retain"], connect["will_bytes"]) == (
        "plant/press-7/state",
        1,
        True,
        4,
    )
    assert (connect["keep_alive_s"], connect["outcome"], connect["reason"]) == (30, "answered", "success")
    subscribe = talk.of("historian", packet_type="subscribe").row(0, named=True)
    assert subscribe["filters"] == ["plant/#", "other/+"]
    assert [subscribe["granted"]] == reader.granted
    waiting = talk.rows.filter(pl.col("qos") > 0)
    assert set(waiting["outcome"]) == {"answered"}
    assert waiting.filter(pl.col("qos") == 2)["pubcomp_frame"].null_count() == 0
    assert waiting["latency_ns"].null_count() == 0
    for values in talk.rows.iter_columns():
        assert "hunter2-secret" not in str(values.to_list()), values.name
    assert talk.summary["mqtt_packets"] == packets_of_wireshark(talk.path, 1883)


def test_aliases_properties_and_a_request_of_version_5(broker: Mosquitto, tmp_path: Path) -> None:
    client = Client("press-7", V5)
    with RecordingProxy(("127.0.0.1", broker.port), server_port=1883) as proxy:
        connecting = properties_of(PacketTypes.CONNECT)
        connecting.SessionExpiryInterval = 555
        connecting.TopicAliasMaximum = 5
        client.connect(proxy.address, properties=connecting)
        properties = properties_of(PacketTypes.PUBLISH)
        properties.TopicAlias = 3
        properties.ContentType = "application/json"
        properties.ResponseTopic = "answers/press-7"
        properties.CorrelationData = b"17"
        properties.MessageExpiryInterval = 77
        properties.UserProperty = [("shift", "night"), ("line", "2")]
        client.publish("plant/ask", b"{}", qos=1, properties=properties)
        again = properties_of(PacketTypes.PUBLISH)
        again.TopicAlias = 3
        client.paho.publish("", b"{}", properties=again)
        client.publish("nobody/listens", b"1", qos=1)
        client.close()
    talk = read(proxy.write(tmp_path / "talk.pcap"))
    published = talk.of("press-7", packet_type="publish")
    assert sorted(published["topic"]) == ["nobody/listens", "plant/ask", "plant/ask"]
    first = published.filter(pl.col("content_type") != "").row(0, named=True)
    assert (first["topic_alias"], first["content_type"], first["response_topic"]) == (
        3,
        "application/json",
        "answers/press-7",
    )
    assert (first["has_correlation"], first["message_expiry_s"]) == (True, 77)
    assert (first["user_property_count"], first["user_property_keys"]) == (2, ["shift", "line"])
    assert set(published.filter(pl.col("qos") == 1)["reason"]) == {"no_matching_subscribers"}
    connect = talk.of("press-7", packet_type="connect").row(0, named=True)
    assert connect["session_expiry_s"] == 555
    assert "topic_alias_maximum=5" in connect["properties"]
    assert any(one.startswith("connack.topic_alias_maximum=") for one in connect["properties"])
    assert talk.anomalies.is_empty()


@pytest.mark.parametrize("version", [V311, V5], ids=WORDS.get)
def test_over_websocket_it_is_the_same(
    broker: Mosquitto, tmp_path: Path, version: MQTTProtocolVersion
) -> None:
    client = Client("browser", version, transport="websockets")
    with RecordingProxy(("127.0.0.1", broker.websocket_port), server_port=9001) as proxy:
        client.connect(proxy.address)
        client.subscribe([("plant/#", 1)])
        client.publish("plant/a", b"1", qos=1)
        client.publish("plant/long", b"y" * 70_000, qos=2)
        client.wait_for(2)
        client.close()
    talk = read(proxy.write(tmp_path / "talk.pcap"))
    assert talk.messages("browser", "client_to_broker") == Counter(client.sent)
    assert talk.messages("browser", "broker_to_client") == Counter(client.received)
    assert set(talk.rows["transport"]) == {"websocket"}
    assert talk.anomalies.is_empty()


def test_user_names_are_hashed_where_the_setting_says_so(broker: Mosquitto, tmp_path: Path) -> None:
    client = Client("press-7", V311)
    with RecordingProxy(("127.0.0.1", broker.port), server_port=1883) as proxy:
        client.paho.username_pw_set("maintenance", "x")
        client.connect(proxy.address)
        client.close()
    path = proxy.write(tmp_path / "talk.pcap")
    names = [
        read(path, EngineLimits(mqtt_user_names=choice)).rows["user_name"][0]
        for choice in (UserNames.KEEP, UserNames.HASH)
    ]
    assert names[0] == "maintenance"
    assert names[1].startswith("sha256:")
    assert "maintenance" not in names[1]
