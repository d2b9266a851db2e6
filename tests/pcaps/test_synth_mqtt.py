"""MQTT of the lab: the broker does what the standard says, and the sensor reads every packet of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import End, Side
from pcaps.lab.synth.mqtt import PORT, Broker, Connection, EdgeNode, Will, packets, sparkplug
from pcaps.lab.synth.mqtt.broker import matches
from tests.pcaps.two_stations import START_NS, Said, capture, rows, spoken_by


def at(second: int) -> int:
    return START_NS + second * SECOND


def read(folder: Path, *connections: Connection) -> pl.DataFrame:
    seen = rows(capture(folder, *(Said(PORT, one.lines, one.end) for one in connections)))
    assert "anomalies" not in seen
    return seen["mqtt"]


@pytest.mark.parametrize(
    ("wanted", "topic", "taken"),
    [
        ("#", "a/b", True),
        ("#", "$SYS/load", False),
        ("+/b", "$SYS/b", False),
        ("$SYS/#", "$SYS/load", True),
        ("a/#", "a", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
    ],
)
def test_a_filter_takes_what_the_standard_says(wanted: str, topic: str, taken: bool) -> None:
    assert matches(wanted, topic) == taken


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (268_435_455, "ffffff7f")]
)
def test_lengths_are_those_of_the_standard_s_table(number: int, encoded: str) -> None:
    assert packets.variable(number).hex() == encoded


def test_a_publication_reaches_who_subscribed_at_the_lower_quality(tmp_path: Path) -> None:
    broker = Broker()
    listener = broker.connect(at(0), "listener")
    broker.subscribe(listener, at(1), [("a/#", 1)])
    other = broker.connect(at(0), "other")
    broker.subscribe(other, at(1), [("b", 2)])
    speaker = broker.connect(at(2), "speaker", 5)
    broker.publish(speaker, at(3), "a/b", b"x", qos=2)
    seen = read(tmp_path, listener, other, speaker).filter(pl.col("packet_type") == "publish")
    told = set(zip(seen["client_id"], seen["direction"], seen["qos"], seen["outcome"], strict=True))
    assert told == {
        ("speaker", "client_to_broker", 2, "answered"),
        ("listener", "broker_to_client", 1, "answered"),
    }


def test_what_is_retained_reaches_who_comes_later_until_it_is_cleared(tmp_path: Path) -> None:
    broker = Broker()
    owner = broker.connect(at(0), "owner")
    broker.publish(owner, at(1), "a", b"kept", retain=True)
    late = broker.connect(at(2), "late")
    broker.subscribe(late, at(3), [("a", 0)])
    broker.publish(owner, at(4), "a", b"", retain=True)
    later = broker.connect(at(5), "later")
    broker.subscribe(later, at(6), [("a", 0)])
    seen = read(tmp_path, owner, late, later).filter(pl.col("direction") == "broker_to_client")
    told = list(zip(seen["client_id"], seen["retain"], seen["payload_bytes"], strict=True))
    assert told == [("late", True, 4), ("late", False, 0)]


@pytest.mark.parametrize(("version", "said"), [(4, 0), (5, 1)])
def test_the_same_client_id_takes_the_connection_over(
    tmp_path: Path, version: packets.Version, said: int
) -> None:
    broker = Broker()
    listener = broker.connect(at(0), "listener")
    broker.subscribe(listener, at(0), [("gone", 0)])
    first = broker.connect(at(1), "node", version, will=Will("gone", b"lost"))
    second = broker.connect(at(2), "node", version)
    assert (first.open, first.end, second.open) == (False, End.SERVER_CLOSES, True)
    seen = read(tmp_path, listener, first, second)
    farewell = seen.filter(
        (pl.col("packet_type") == "disconnect") & (pl.col("direction") == "broker_to_client")
    )
    assert farewell.height == said
    assert seen.filter(pl.col("topic") == "gone").height == 1


def test_who_goes_in_good_order_leaves_no_will_and_who_is_refused_no_connection() -> None:
    broker = Broker()
    listener = broker.connect(at(0), "listener")
    broker.subscribe(listener, at(0), [("gone", 0)])
    before = spoken_by(Side.SERVER, listener.lines)
    polite = broker.connect(at(1), "polite", will=Will("gone", b"lost"))
    broker.disconnect(polite, at(2))
    refused = broker.connect(at(3), "refused", answer=packets.NOT_AUTHORISED[4])
    assert (refused.open, refused.end) == (False, End.SERVER_CLOSES)
    assert spoken_by(Side.SERVER, listener.lines) == before


def test_every_kind_of_packet_and_property_is_read(tmp_path: Path) -> None:
    broker = Broker()
    who = broker.connect(
        at(0),
        "all",
        5,
        user_name="operator",
        password="never shown",  # noqa: S106 - it must not come out
        properties={"session_expiry_s": 60, "receive_maximum": 5, "user": [("site", "a"), ("line", "b")]},
        answer_properties={"topic_alias_maximum": 4, "server_keep_alive_s": 30, "assigned_client_id": "all"},
    )
    broker.subscribe(who, at(1), [("a/#", 2)])
    properties: packets.Properties = {
        "topic_alias": 1,
        "content_type": "application/json",
        "response_topic": "a/answer",
        "correlation": b"\x01\x02",
        "message_expiry_s": 30,
        "payload_format": 1,
    }
    broker.publish(who, at(2), "a/b", b"{}", qos=1, properties=properties)
    broker.publish(who, at(3), "a/b", b"{}", properties={"topic_alias": 1}, on_the_wire="")
    broker.ping(who, at(4))
    broker.unsubscribe(who, at(5), ["a/#"])
    broker.disconnect(who, at(6))
    seen = read(tmp_path, who)
    assert dict(seen["packet_type"].value_counts().iter_rows()) == broker.counted
    opened = seen.filter(pl.col("packet_type") == "connect").row(0, named=True)
    assert (opened["session_expiry_s"], opened["user_property_keys"]) == (60, ["site", "line"])
    sent = seen.filter((pl.col("packet_type") == "publish") & (pl.col("direction") == "client_to_broker"))
    assert sent["topic"].to_list() == ["a/b", "a/b"]
    assert sent["content_type"].to_list() == ["application/json", ""]
    assert "never shown" not in str(seen.to_dicts())


def test_an_edge_node_counts_from_birth_on_and_round_again(tmp_path: Path) -> None:
    broker, edge = Broker(), EdgeNode("mine", "shaft", birth=3)
    who = broker.connect(at(0), "shaft", will=Will(edge.topic("NDEATH"), edge.will(), qos=1))
    broker.publish(who, at(1), edge.topic("NBIRTH"), edge.born({"Speed": 1.5, "On": True}, at(1)))
    broker.publish(
        who, at(2), edge.topic("DBIRTH", "pump"), edge.device_born({"Name": "P1", "Count": -4}, at(2))
    )
    edge.seq = 255
    broker.publish(who, at(3), edge.topic("DDATA", "pump"), edge.data({"Count": 5}, at(3)))
    broker.publish(who, at(4), edge.topic("DDEATH", "pump"), edge.device_dead(at(4)))
    broker.publish(who, at(5), edge.topic("NCMD"), sparkplug.command({"Node Control/Rebirth": True}, at(5)))
    seen = read_with_gap(tmp_path, who)
    assert seen["sparkplug_type"].to_list() == ["nbirth", "dbirth", "ddata", "ddeath", "ncmd"]
    assert seen["sparkplug_seq"].to_list() == [0, 1, 0, 1, None]
    assert seen["sparkplug_bd_seq"].to_list()[0] == 3
    assert seen["metric_values"].to_list()[1] == ["P1", "-4"]


def read_with_gap(folder: Path, who: Connection) -> pl.DataFrame:
    """The rows where the sequence has a hole: the sensor says so."""
    seen = rows(capture(folder, Said(PORT, who.lines, who.end)))
    assert seen["anomalies"]["kind"].to_list() == ["sequence_gap"]
    return seen["mqtt"].filter(pl.col("sparkplug_type") != "")
