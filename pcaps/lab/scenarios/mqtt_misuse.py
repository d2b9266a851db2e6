"""An MQTT broker that lets anybody in: who listens to everything, takes over, overwrites; and passwords in clear."""

from __future__ import annotations

from typing import Final

from pcaps import Planted
from pcaps.lab.conveyors import NODE, REBIRTH, SETPOINT, Conveyors, command
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.mqtt_proper import NAME as TWIN
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.mqtt import PORT, Will, packets

_NAME: Final = "mqtt-misuse"
#: Friday, a quarter of an hour later.
_DAY, _START_S = 4, 900
_MINUTES: Final = 10
_PASSWORD: Final = "planted-Broker-9081"  # noqa: S105 - planted: no output may have it
_GUESSES: Final = tuple(f"planted-mqtt-guess-{number:02}" for number in range(24))
_EVERYTHING: Final = (("#", 0), ("$SYS/#", 0), ("spBv1.0/#", 0))
#: The longest topic is 65,535 bytes; nobody sends one of four thousand.
_TOPIC_BYTES: Final = 4_000
_TAKE_OVERS: Final = (300, 330, 360)


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    plant = Conveyors(site)
    plant.vibration(5, 570)
    plant.host(10, 570)
    held = plant.node(20)
    plant.readings(held, 30, 560, 5)
    broker = plant.broker

    def setpoint(at_ns: int) -> None:
        broker.publish(held[-1], at_ns, SETPOINT, b'{"speed":2.5}', qos=1, retain=True)

    def in_clear(at_ns: int) -> None:
        """The SCADA server's script says who it is, for all to read."""
        who = broker.connect(at_ns, "scada1-script", user_name="scada", password=_PASSWORD)
        plant.joined("scada1", who)
        broker.publish(who, at_ns + SECOND, "mine-a/plant/shift", b'{"shift":"B"}', qos=1)
        broker.disconnect(who, at_ns + 3 * SECOND)

    def listen(at_ns: int) -> None:
        """An office workstation comes in as nobody and wants to hear everything."""
        will = Will("mine-a/plant/conveyor/status", b'{"status":"stopped"}', retain=True)
        who = broker.connect(at_ns, "explorer-1f", 5, will=will)
        plant.joined("ent-ws7", who)
        broker.subscribe(who, at_ns + SECOND, _EVERYTHING)

    def meddle(at_ns: int) -> None:
        """It asks for a rebirth, overwrites the setpoint, clears it, and tries a topic of thousands of letters."""
        who = plant.connection_of("ent-ws7")
        broker.publish(who, at_ns, plant.edge.topic("NCMD"), command({REBIRTH: True}, at_ns))
        plant.birth(held[-1], at_ns + SECOND)
        broker.publish(who, at_ns + 10 * SECOND, SETPOINT, b'{"speed":9.9}', qos=1, retain=True)
        broker.publish(who, at_ns + 14 * SECOND, SETPOINT, b"", qos=1, retain=True)
        broker.publish(who, at_ns + 18 * SECOND, "mine-a/" + "x" * (_TOPIC_BYTES - 7), b"?")

    def gone(at_ns: int) -> None:
        """It leaves without a word: its retained will says that the conveyor stands still."""
        broker.lose(plant.connection_of("ent-ws7"), at_ns)

    def take_over(at_ns: int) -> None:
        """It connects with the edge node's client id, which ends the node's connection; the node takes it back."""
        plant.joined("ent-ws7", broker.connect(at_ns, NODE))
        plant.edge.birth += 1
        held.append(plant.connect_node(at_ns + 8 * SECOND))
        plant.birth(held[-1], at_ns + 9 * SECOND)

    def guess(at_ns: int, number: int) -> None:
        code = packets.BAD_USER_NAME_OR_PASSWORD[4]
        who = broker.connect(at_ns, f"g{number}", user_name="admin", password=_GUESSES[number], answer=code)
        plant.joined("ent-ws7", who)

    plant.at(35, setpoint)
    plant.at(60, in_clear)
    plant.at(102, listen)
    plant.at(152, meddle)
    plant.at(232, gone)
    for second in _TAKE_OVERS:
        plant.at(second + 2, take_over)
    for number in range(len(_GUESSES)):
        plant.at(450 + 2 * number, lambda at_ns, number=number: guess(at_ns, number))  # type: ignore[misc]
    plant.run()
    captured = ran(site)
    tap = Tap(site, captured)

    def stranger(check: str, count: int, because: str, seconds: tuple[int, int]) -> Planted:
        return tap.saw(check, "ent-ws7", "mq1", count, because, service="mqtt", seconds=seconds)

    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "An MQTT broker open to all",
            f"""
The conveyors and the SCADA server talk as they always do. A script of the SCADA server sends name and password in
clear. Then an office workstation comes in without a name, subscribes to everything (#, $SYS/#, spBv1.0/#), asks the
edge node for a rebirth, overwrites the conveyor's retained setpoint and clears it, publishes to a topic of
{_TOPIC_BYTES} bytes, and leaves without a word, so that its retained will tells that the conveyor stands still.
Afterwards it connects {len(_TAKE_OVERS)} times with the edge node's own client id: each time the broker ends the
node's connection and tells of its death, and the node takes its place back. At last it tries {len(_GUESSES)}
passwords in less than a minute.
""",
            planted=(
                tap.saw(
                    "Q1", "scada1", "mq1", 1, "name and password in clear", service="mqtt", seconds=(55, 70)
                ),
                tap.saw(
                    "SEG-05",
                    "scada1",
                    "mq1",
                    2,
                    "a client id that the rule does not have, and a topic it does not",
                    service="mqtt",
                    seconds=(55, 70),
                ),
                stranger("Q2", len(_EVERYTHING), "filters that take everything, by a new client", (100, 110)),
                stranger("Q3", 1, "an NCMD by a new client", (150, 160)),
                stranger(
                    "Q4", 2, "a retained message overwritten, then cleared, by a new client", (160, 170)
                ),
                stranger("Q4", 1, "a retained will of a new client, that is published later", (100, 110)),
                stranger("Q5", len(_TAKE_OVERS), "connections with the edge node's client id", (300, 375)),
                stranger("Q6", len(_GUESSES), "refused logins within 50 s", (445, 510)),
                stranger("Q1", len(_GUESSES), "passwords in clear, all refused", (445, 510)),
                stranger("SEG-01", 1, "no conduit leads from the office to operations", (100, 510)),
            ),
            expected=(
                expect(
                    site,
                    "SEG-05",
                    "scada1",
                    "mq1",
                    PORT,
                    "mqtt",
                    conduit="c-room-ops",
                    severity=3,
                    exactly=1,
                    because="medium; connecting changes nothing",
                ),
                expect(
                    site,
                    "SEG-05",
                    "scada1",
                    "mq1",
                    PORT,
                    "mqtt",
                    conduit="c-room-ops",
                    severity=4,
                    exactly=1,
                    because="medium, one more because the broker confirmed the publication",
                ),
                expect(
                    site,
                    "SEG-01",
                    "ent-ws7",
                    "mq1",
                    PORT,
                    "mqtt",
                    severity=4,
                    because="medium, one more for an established session",
                ),
                expect(
                    site,
                    "Q1",
                    "scada1",
                    "mq1",
                    PORT,
                    "mqtt",
                    conduit="c-room-ops",
                    severity=4,
                    exactly=1,
                    because="high: the password is lost",
                ),
                *(
                    expect(
                        site,
                        kind,
                        "ent-ws7",
                        "mq1",
                        PORT,
                        "mqtt",
                        severity=severity,
                        exactly=count,
                        because=because,
                    )
                    for kind, severity, count, because in (
                        ("Q1", 4, len(_GUESSES), "high: what is tried in clear is lost too"),
                        ("Q2", 3, len(_EVERYTHING), "medium: it listens, and changes nothing"),
                        ("Q3", 4, 1, "high; at QoS 0 nothing confirms it"),
                        ("Q4", 4, 3, "medium, one more because the broker confirmed two of them"),
                        ("Q5", 3, len(_TAKE_OVERS), "medium: the node is put off for a moment"),
                        ("Q6", 4, len(_GUESSES), "high: passwords are tried"),
                    )
                ),
            ),
            twin=TWIN,
            baseline=TWIN,
            secrets=(_PASSWORD, *_GUESSES),
            truth={"longest_topic_bytes": _TOPIC_BYTES},
            paths=(("edge2", "mq1"), ("scada1", "mq1"), ("ent-ws7", "mq1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_322, _make, packed=True)
