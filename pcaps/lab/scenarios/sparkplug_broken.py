"""Sparkplug out of order: numbers left out, data before a birth, the death of another life, data of the dead."""

from __future__ import annotations

from typing import Final

from pcaps import Planted
from pcaps.lab.conveyors import BELT_METRICS, DEVICE, NODE_METRICS, Conveyors
from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.mine_a_remote_story import Story, Tap, expect, ran, told
from pcaps.lab.scenarios.mqtt_proper import NAME as TWIN
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.mqtt import PORT, EdgeNode

_NAME: Final = "sparkplug-broken"
#: Friday, half an hour after the good one.
_DAY, _START_S = 4, 1_800
_MINUTES: Final = 8
#: Another device of the same node.
_OTHER: Final = "belt8"


def _make(seed: int) -> Made:
    site = MineARemote(seed, _MINUTES, day=_DAY, start_s=_START_S)
    site.operators()
    site.housekeeping()
    plant = Conveyors(site)
    plant.host(10, 460)
    held = plant.node(20)
    plant.readings(held, 30, 450, 10)
    broker, edge = plant.broker, plant.edge

    def hole(at_ns: int) -> None:
        """Four numbers are left out."""
        edge.seq = (edge.seq + 4) % 256
        plant.reading(held, at_ns, 1)

    def unborn(at_ns: int) -> None:
        """Data of a device that was never born, and then its birth."""
        broker.publish(held[-1], at_ns, edge.topic("DDATA", _OTHER), edge.data({"Speed": 1.0}, at_ns))
        born = edge.device_born(BELT_METRICS, at_ns)
        broker.publish(held[-1], at_ns + 3 * SECOND, edge.topic("DBIRTH", _OTHER), born)

    def again(at_ns: int) -> None:
        """The same message twice, with the same number."""
        reading = edge.data({"Speed": 2.5}, at_ns)
        for later in (0, SECOND):
            broker.publish(held[-1], at_ns + later, edge.topic("DDATA", DEVICE), reading)

    def late_birth(at_ns: int) -> None:
        """A birth whose number is not 0."""
        born = EdgeNode(edge.group, edge.node, edge.birth)
        born.born(NODE_METRICS, at_ns)
        born.seq = 40
        broker.publish(held[-1], at_ns, edge.topic("NBIRTH"), born.data({**NODE_METRICS}, at_ns))
        edge.seq = born.seq
        again_born = edge.device_born(BELT_METRICS, at_ns)
        broker.publish(held[-1], at_ns + SECOND, edge.topic("DBIRTH", DEVICE), again_born)

    def dead(at_ns: int) -> None:
        """The death of a birth that is long over, and data goes on."""
        other = EdgeNode(edge.group, edge.node, edge.birth - 5)
        broker.publish(held[-1], at_ns, edge.topic("NDEATH"), other.will(), qos=1)

    def device_dead(at_ns: int) -> None:
        """The belt's death; its readings go on without a birth."""
        broker.publish(held[-1], at_ns, edge.topic("DDEATH", DEVICE), edge.device_dead(at_ns))

    broken = ((104, hole), (154, unborn), (204, again), (254, late_birth), (304, dead), (354, device_dead))
    for second, event in broken:
        plant.at(second, event)
    plant.run()
    captured = ran(site)
    tap = Tap(site, captured)

    def saw(count: int, because: str, seconds: tuple[int, int]) -> Planted:
        return tap.saw("Q7", "edge2", "mq1", count, because, service="mqtt", seconds=seconds)

    after_death = len(range(360, 450, 10))
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Sparkplug out of order",
            """
The conveyors' edge node is born and sends readings, every ten seconds. Six times it does what a node must not do:
it leaves out four sequence numbers; it sends data of a device before that device's birth; it sends one message
twice with the same number; its rebirth has the number 40 instead of 0 and no bdSeq; a death arrives that names a
birth of long ago; and after the belt's death its readings go on, as if nothing had been. In between everything is in
order.
""",
            planted=(
                saw(1, "four sequence numbers left out", (102, 108)),
                saw(1, "DDATA before the device's DBIRTH", (152, 156)),
                saw(1, "a sequence number twice", (202, 208)),
                saw(1, "an NBIRTH with sequence number 40 and no bdSeq", (252, 258)),
                saw(1, "an NDEATH whose bdSeq is not the birth's", (302, 308)),
                saw(after_death, "DDATA after the device's DDEATH", (356, 455)),
            ),
            expected=(
                expect(
                    site,
                    "Q7",
                    "edge2",
                    "mq1",
                    PORT,
                    "mqtt",
                    conduit="c-plant-ops",
                    severity=3,
                    exactly=5 + after_death,
                    because="medium; whether it is forged the network does not show",
                ),
            ),
            twin=TWIN,
            truth={"anomalies": ["mqtt sequence_gap"]},
            paths=(("edge2", "mq1"), ("scada1", "mq1")),
        ),
    )


SCENARIO: Final = Scenario(_NAME, 20_261_323, _make, packed=True)
