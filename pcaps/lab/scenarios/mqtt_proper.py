"""MQTT and Sparkplug as they should be: births before data, sequences without a hole, wills, every QoS."""

from __future__ import annotations

from typing import Final

from pcaps.lab.conveyors import DEVICE, NODE, REBIRTH, SETPOINT, Conveyors, command
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, ran, told
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.mqtt import packets

NAME: Final = "mqtt-proper-benign"
#: Friday.
_DAY: Final = 4
_MINUTES: Final = 12
#: More readings than sequence numbers: 255 is followed by 0.
_READINGS_FROM_S, _READINGS_TO_S = 30, 300


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY)
    site.operators()
    site.housekeeping()
    plant = Conveyors(site)
    plant.vibration(5, 690)
    plant.host(10, 680)
    held = plant.node(20)
    plant.readings(held, _READINGS_FROM_S, _READINGS_TO_S, 1)
    broker, edge = plant.broker, plant.edge

    def settings(at_ns: int) -> None:
        """A retained setpoint, written by its owner, twice, at QoS 1 and 2."""
        broker.publish(held[-1], at_ns, SETPOINT, b'{"speed":2.5}', qos=1, retain=True)
        broker.publish(held[-1], at_ns + SECOND, SETPOINT, b'{"speed":2.6}', qos=2, retain=True)

    def commanded(at_ns: int) -> None:
        """The host application sets the belt's speed, and asks for a rebirth."""
        host = plant.connection_of("scada1")
        topic = edge.topic("DCMD", DEVICE)
        broker.publish(host, at_ns, topic, command({"Speed": 2.6}, at_ns), qos=1)
        broker.publish(host, at_ns + 2 * SECOND, edge.topic("NCMD"), command({REBIRTH: True}, at_ns))

    def reborn(at_ns: int) -> None:
        """As asked: the same session, the sequence from 0, the same number of birth as its will."""
        plant.birth(held[-1], at_ns)

    def back(at_ns: int) -> None:
        """The node was without power: its will was published; it is back from the same address, with a new birth."""
        broker.lose(held[-1], at_ns)
        edge.birth += 1

    plant.at(310, settings)
    plant.at(320, commanded)
    plant.at(324, reborn)
    plant.readings(held, 330, 400, 5)
    plant.at(410, back)
    again = plant.node(425)
    plant.readings(again, 430, 660, 10)
    plant.at(670, lambda at_ns: broker.disconnect(again[-1], at_ns))

    def refused(at_ns: int) -> None:
        """The broker does not know the node yet, once."""
        plant.joined("edge2", broker.connect(at_ns, NODE, answer=packets.NOT_AUTHORISED[4]))

    plant.at(420, refused)
    plant.run()
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            NAME,
            seed,
            "MQTT, as it should be",
            """
Friday morning. The vibration gateway publishes in TLS. The conveyors' edge node speaks Sparkplug B in clear, as its
rule still allows: a birth, its belt's birth, then readings whose sequence number goes from 255 to 0 once; a retained
setpoint of its own at QoS 1 and 2; a rebirth when the SCADA server asks for one. Then it loses power, its will is
published; it comes back from the same address with the same client id, is refused once, and has its next birth. The
SCADA server (MQTT 5) subscribes to the conveyors and no more, keeps its state in a retained will, and sets the
belt's speed. Nothing of it is wrong.
""",
            twin_of="mqtt-misuse",
            paths=(("edge2", "mq1"), ("scada1", "mq1")),
        ),
    )


SCENARIO: Final = Scenario(NAME, 20_261_321, _make, packed=True)
