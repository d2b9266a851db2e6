"""What MQTT clients do for the first time, beside a baseline; each with what is as close as can be and known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzers.baseline.comparing import Acceptance, Baseline
from analyzers.behaviour import Behaviour
from analyzers.findings import Finding
from policy.zoning import CompiledSite
from sensors.records import MQTT
from tests.analyzers.baseline.teaching import taught
from tests.analyzers.detections.looking import MINE
from tests.policy.factories import HISTORIAN, NOON, OTHER_DMZ_HOST, SECOND, SITE, Wire, compiled, packed

BROKER, OTHER_BROKER = "10.35.0.30", "10.35.0.31"
NCMD, DCMD = "spBv1.0/mine-a/NCMD/edge2", "spBv1.0/mine-a/DCMD/edge2/belt7"
SETPOINT = "mine-a/conveyor/setpoint"
NEW = {"Q2", "Q3", "Q4"}


def said(
    packet_type: str, *, client: str = HISTORIAN, broker: str = BROKER, times: int = 1, **more: Any
) -> Wire:
    """A packet that a client sent, so often, a second apart; answered, unless said otherwise."""
    columns = {
        "direction": "client_to_broker",
        "outcome": "answered",
        "client_id": "host",
        "confidence": "structure",
    }
    wire = Wire()
    flow = wire.flow(client, broker, 1883)
    for number in range(times):
        frame, at = 4 + 2 * number, NOON + number * SECOND
        wire.add(MQTT, flow, ts=at, packet_type=packet_type, request_frame=frame, **{**columns, **more})
    return wire


def subscribe(*filters: str, **more: Any) -> Wire:
    return said("subscribe", filters=list(filters), **more)


def command(topic: str, kind: str = "", **more: Any) -> Wire:
    return said("publish", topic=topic, sparkplug_type=kind, **{"qos": 0, "outcome": "one_way", **more})


def leave(topic: str = SETPOINT, size: int = 13, **more: Any) -> Wire:
    """A retained message; without payload it clears."""
    return said("publish", topic=topic, payload_bytes=size, qos=1, **{"retain": True, **more})


def will(topic: str = SETPOINT, **more: Any) -> Wire:
    return said("connect", **{"will_topic": topic, "will_retain": True, "will_bytes": 7, **more})


def beside(baseline: Baseline | None, wire: Wire, site: CompiledSite = MINE) -> list[Finding]:
    behaviour = Behaviour(site, "p" * 64, "0", baseline)
    behaviour.running = tuple(one for one in behaviour.running if one.id in NEW)
    behaviour.feed(wire.traffic(site))
    return behaviour.finish("c" * 64)


def kinds(baseline: Baseline | None, wire: Wire, site: CompiledSite = MINE) -> list[str]:
    return [one.kind for one in beside(baseline, wire, site)]


NOTHING = taught()
USUAL = taught(
    subscribe("#", "spBv1.0/mine-a/#", times=3),
    command(DCMD, "dcmd", times=3),
    leave(times=3),
    will("mine-a/host/status", times=3),
)


@pytest.mark.parametrize("wide", ["#", "$SYS/#", "spBv1.0/#", "+/#", "+/+/#", "spBv1.0/+/+/#", "+/+", "/#"])
def test_a_subscription_to_everything_by_a_new_client_is_reported(wide: str) -> None:
    assert kinds(NOTHING, subscribe(wide)) == ["Q2"]
    assert kinds(NOTHING, subscribe(f"$share/readers/{wide}")) == ["Q2"]


@pytest.mark.parametrize(
    "narrow",
    ["spBv1.0/mine-a/#", "mine-a/#", "$SYS/broker/#", "spBv1.0/+/NDATA/+", "+/status", "a/+", "mine-a"],
)
def test_a_filter_with_a_name_in_it_is_not_everything(narrow: str) -> None:
    assert kinds(NOTHING, subscribe(narrow)) == []


@pytest.mark.parametrize(
    ("again", "found"),
    [
        (subscribe("#"), []),
        (subscribe("$SYS/#"), ["Q2"]),
        (subscribe("#", client=OTHER_DMZ_HOST), ["Q2"]),
        (subscribe("#", broker=OTHER_BROKER), ["Q2"]),
    ],
)
def test_who_is_known_to_listen_to_everything_is_known_by_broker_and_filter(
    again: Wire, found: list[str]
) -> None:
    assert kinds(USUAL, again) == found


def test_filters_are_counted_one_by_one_and_told_with_the_answer() -> None:
    refused = subscribe(
        "#", "a/b", "$SYS/#", client=OTHER_DMZ_HOST, outcome="refused", reason="not_authorized"
    )
    (finding,) = beside(USUAL, refused)
    assert (finding.src_ip, finding.dst_ip, finding.count, finding.severity) == (OTHER_DMZ_HOST, BROKER, 2, 3)
    assert [one.text for one in finding.evidence.operations] == [
        "SUBSCRIBE # as host, refused: not_authorized",
        "SUBSCRIBE $SYS/# as host, refused: not_authorized",
    ]


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (command(NCMD, "ncmd"), ["Q3"]),
        (command(DCMD, "dcmd", client=OTHER_DMZ_HOST), ["Q3"]),
        (command(DCMD, "dcmd", broker=OTHER_BROKER), ["Q3"]),
        (command(DCMD, "dcmd"), []),
        (command("spBv1.0/mine-a/DDATA/edge2/belt7", "ddata", client=OTHER_DMZ_HOST), []),
        # What the broker hands to the edge node is a copy.
        (command(NCMD, "ncmd", direction="broker_to_client"), []),
    ],
)
def test_a_command_is_new_by_who_sent_it_where(wire: Wire, found: list[str]) -> None:
    assert kinds(USUAL, wire) == found


def test_the_finding_names_the_metrics_and_not_their_values() -> None:
    sent = command(NCMD, "ncmd", metric_names=["Speed"], metric_types=["Double"], metric_values=["9.75"])
    (finding,) = beside(USUAL, sent)
    assert [one.text for one in finding.evidence.operations] == [
        f"PUBLISH {NCMD} (Speed) as host, QoS 0, one_way"
    ]
    assert "9.75" not in finding.model_dump_json()


def test_a_command_that_the_broker_confirmed_is_one_graver() -> None:
    (unconfirmed,) = beside(USUAL, command(NCMD, "ncmd"))
    (confirmed,) = beside(USUAL, command(NCMD, "ncmd", qos=1, outcome="answered"))
    assert (unconfirmed.severity, confirmed.severity) == (4, 5)


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("mine-a/belt7/cmd/speed", ["Q3"]),
        ("mine-a/belt7/cmd", ["Q3"]),
        ("legacy/reset", ["Q3"]),
        ("mine-a/belt7/state", []),
        ("legacy/reset/all", []),
    ],
)
def test_a_policy_declares_command_topics(topic: str, found: list[str]) -> None:
    declaring = compiled(SITE + 'detections: {Q3: {topics: ["mine-a/+/cmd/#", legacy/reset]}}\n')
    assert kinds(USUAL, command(topic), declaring) == found
    assert kinds(taught(command(topic, times=3)), command(topic), declaring) == []
    assert kinds(USUAL, command(topic)) == []


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (leave(), []),
        (leave(size=0), []),
        (leave(client=OTHER_DMZ_HOST), ["Q4"]),
        (leave(client=OTHER_DMZ_HOST, size=0), ["Q4"]),
        (leave("mine-a/conveyor/status"), ["Q4"]),
        (leave(client=OTHER_DMZ_HOST, retain=False), []),
        (leave(client=OTHER_DMZ_HOST, direction="broker_to_client"), []),
        (will(client=OTHER_DMZ_HOST), ["Q4"]),
        (will(client=OTHER_DMZ_HOST, will_retain=False), []),
        (will("mine-a/host/status"), []),
        # Who leaves messages there may do so with a will.
        (will(), []),
    ],
)
def test_a_retained_message_is_new_by_who_left_it_where(wire: Wire, found: list[str]) -> None:
    assert kinds(USUAL, wire) == found


@pytest.mark.parametrize(
    ("wire", "text", "severity"),
    [
        (leave(client=OTHER_DMZ_HOST), f"{SETPOINT} set to 13 bytes, answered", 4),
        (leave(client=OTHER_DMZ_HOST, size=0), f"{SETPOINT} cleared, answered", 4),
        # That the client may come in confirms nothing: the will is no message yet.
        (
            will(client=OTHER_DMZ_HOST),
            f"{SETPOINT} set to 7 bytes once the client is lost (its will), answered",
            3,
        ),
    ],
)
def test_the_finding_says_what_became_of_the_message(wire: Wire, text: str, severity: int) -> None:
    (finding,) = beside(USUAL, wire)
    assert [one.text for one in finding.evidence.operations] == [text]
    assert finding.severity == severity
    assert "Compared with baseline" in finding.why


def test_what_was_refused_while_it_was_learned_is_not_known() -> None:
    refused: dict[str, Any] = {"outcome": "refused", "reason": "not_authorized"}
    tried = taught(
        subscribe("#", times=3, **refused),
        command(NCMD, "ncmd", times=3, **refused),
        leave(times=3, **refused),
        will("mine-a/a", times=3, **refused),
    )
    assert kinds(tried, subscribe("#")) == ["Q2"]
    assert kinds(tried, command(NCMD, "ncmd")) == ["Q3"]
    assert kinds(tried, leave()) == kinds(tried, will("mine-a/a")) == ["Q4"]


def test_what_somebody_answers_for_is_known() -> None:
    one = Acceptance(
        kind="mqtt.subscribe",
        client_ip=packed(OTHER_DMZ_HOST),
        server_ip=packed(BROKER),
        ip_proto=6,
        server_port=1883,
        what="#",
        who="ana",
        why="CHG-9",
        at="2026-11-23T12:00:00Z",
    )
    accepting = replace(NOTHING, accepted=(one,))
    assert kinds(accepting, subscribe("#", client=OTHER_DMZ_HOST)) == []
    assert kinds(accepting, subscribe("#")) == ["Q2"]


@pytest.mark.parametrize("wire", [subscribe("#"), command(NCMD, "ncmd"), leave()])
def test_without_a_baseline_nothing_is_new(wire: Wire) -> None:
    assert kinds(None, wire) == []


def test_the_first_part_of_a_capture_teaches_where_the_policy_says_so() -> None:
    learning = compiled(SITE + "baseline: {learn_for: PT60S, min_count: 3}\n")
    wire = subscribe("#", times=3)
    for wanted in ("#", "$SYS/#"):
        late = {"direction": "client_to_broker", "outcome": "answered", "filters": [wanted]}
        wire.add(MQTT, 1, ts=NOON + 90 * SECOND, packet_type="subscribe", request_frame=90, **late)
    (finding,) = beside(None, wire, learning)
    assert (finding.kind, finding.count) == ("Q2", 1)
    assert [one.text for one in finding.evidence.operations] == ["SUBSCRIBE $SYS/#, answered"]


def test_a_flood_of_topics_is_one_row_a_conversation_and_minute() -> None:
    wire = Wire()
    flow = wire.flow(OTHER_DMZ_HOST, BROKER, 1883)
    for number in range(500):
        topic = {"topic": f"mine-a/{number}/state", "retain": True}
        sent = {"packet_type": "publish", "direction": "client_to_broker", "outcome": "answered", **topic}
        wire.add(MQTT, flow, ts=NOON + number, request_frame=4, **sent)
    traffic = wire.traffic(MINE)
    behaviour = Behaviour(MINE, "p" * 64, "0", USUAL)
    for start in range(0, 500, 77):
        behaviour.feed(type(traffic).of(mqtt=traffic.mqtt.slice(start, 77)))
    (rows,) = [one.violations() for one in behaviour.running if one.id == "Q4"]
    assert rows["count"].to_list() == [500]
    (finding,) = behaviour.finish("c" * 64)
    assert finding.evidence == beside(USUAL, wire)[0].evidence
