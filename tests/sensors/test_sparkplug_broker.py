"""Sparkplug B through a real broker: payloads of the protobuf package are read back metric by metric."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tests.support.mosquitto import Mosquitto, needs_mosquitto
from tests.support.mqtt_client import V311, Client, read
from tests.support.recording_proxy import RecordingProxy
from tests.support.sparkplug import BOOLEAN, DOUBLE, FLOAT, INT8, INT32, INT64, STRING, UINT64, payload

pytestmark = needs_mosquitto

NBIRTH = [
    {"name": "bdSeq", "datatype": UINT64, "long_value": 7},
    {"name": "Node Control/Rebirth", "datatype": BOOLEAN, "boolean_value": False},
    {"name": "Properties/Hardware Make", "datatype": STRING, "string_value": "Acme"},
    {"name": "Properties/FW", "datatype": STRING, "string_value": "4.1.7"},
    {"name": "Speed", "alias": 1, "datatype": DOUBLE, "double_value": 7.25},
]
DBIRTH = [
    {"name": "Setpoint", "alias": 2, "datatype": FLOAT, "float_value": 0.5},
    {"name": "Level", "alias": 3, "datatype": INT32, "int_value": 2**32 - 5},
    {"name": "Total", "alias": 4, "datatype": INT64, "long_value": 2**64 - 6},
    {"name": "Step", "alias": 5, "datatype": INT8, "int_value": 2**8 - 7},
    {"name": "Öl", "alias": 6, "datatype": STRING, "is_null": True},
    {"name": "Image", "alias": 7, "datatype": 17, "bytes_value": b"\x00\x01\x02"},
]


def test_births_data_and_commands_are_read_as_they_were_written(tmp_path: Path) -> None:
    node, host = Client("edge-3", V311), Client("scada", V311)
    death = payload([{"name": "bdSeq", "datatype": UINT64, "long_value": 7}])
    now_ms = 1_795_332_000_123
    with (
        Mosquitto(tmp_path) as broker,
        RecordingProxy(("127.0.0.1", broker.port), server_port=1883) as proxy,
    ):
        node.paho.will_set("spBv1.0/mine/NDEATH/shaft", death, qos=1)
        host.connect(proxy.address)
        host.subscribe([("spBv1.0/mine/#", 0)])
        host.publish("spBv1.0/STATE/scada", b'{"online":true,"timestamp":1}', qos=1, retain=True)
        node.connect(proxy.address)
        node.subscribe([("spBv1.0/mine/DCMD/shaft/#", 1), ("spBv1.0/mine/NCMD/shaft", 1)])
        node.publish("spBv1.0/mine/NBIRTH/shaft", payload(NBIRTH, seq=0, timestamp_ms=now_ms))
        node.publish("spBv1.0/mine/DBIRTH/shaft/pump", payload(DBIRTH, seq=1))
        node.publish("spBv1.0/mine/DDATA/shaft/pump", payload([{"alias": 3, "int_value": 17}], seq=2))
        host.wait_for(3)
        host.publish("spBv1.0/mine/DCMD/shaft/pump", payload([{"alias": 2, "float_value": 42.5}]))
        rebirth = {"name": "Node Control/Rebirth", "datatype": BOOLEAN, "boolean_value": True}
        host.publish("spBv1.0/mine/NCMD/shaft", payload([rebirth]))
        node.wait_for(2)
        node.publish("spBv1.0/mine/DDEATH/shaft/pump", payload([], seq=4))
        node.close()
        host.close()
    talk = read(proxy.write(tmp_path / "talk.pcap"))
    published = talk.of("edge-3", direction="client_to_broker", packet_type="publish").sort("request_frame")
    births = published.filter(pl.col("sparkplug_type").is_in(["nbirth", "dbirth"]))
    assert births["metric_names"].to_list() == [[one["name"] for one in birth] for birth in (NBIRTH, DBIRTH)]
    assert births["metric_values"].to_list() == [
        ["7", "false", "Acme", "4.1.7", "7.25"],
        ["0.5", "-5", "-6", "-7", "null", "3 bytes"],
    ]
    assert births["metric_types"].to_list()[1] == ["Float", "Int32", "Int64", "Int8", "String", "Bytes"]
    birth = births.row(0, named=True)
    assert (birth["sparkplug_group"], birth["sparkplug_node"], birth["sparkplug_seq"]) == ("mine", "shaft", 0)
    assert birth["sparkplug_bd_seq"] == 7
    assert birth["sparkplug_ts"] == datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=123_000)
    data = published.filter(pl.col("sparkplug_type") == "ddata").row(0, named=True)
    assert (data["metric_names"], data["metric_types"], data["metric_values"]) == (
        ["Level"],
        ["Int32"],
        ["17"],
    )
    commands = talk.rows.filter(pl.col("sparkplug_type").is_in(["dcmd", "ncmd"]))
    # Once to the broker, once from it to the edge node, and back to the host, who listens to everything.
    assert sorted(commands["client_id"]) == ["edge-3"] * 2 + ["scada"] * 4
    assert set(commands["operation_class"]) == {"write"}
    assert set(commands["detail"]) == {
        "DCMD writes Setpoint = 42.5 to mine/shaft/pump",
        "rebirth of mine/shaft requested",
    }
    # The edge node left out number 3.
    assert talk.anomalies["kind"].to_list() == ["sequence_gap"]
    connect = talk.of("edge-3", packet_type="connect").row(0, named=True)
    assert connect["detail"] == "will is an NDEATH with bdSeq 7"
