"""The conveyors' edge node, the broker, and the SCADA server as Sparkplug's host: what they say on a good day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pcaps.lab.mine_a_remote import MineARemote
from pcaps.lab.synth import tls
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.mqtt import PORT, TLS_PORT, Broker, Connection, EdgeNode, Will, sparkplug
from pcaps.lab.synth.mqtt.packets import Version
from pcaps.lab.synth.mqtt.sparkplug import Metric
from pcaps.lab.synth.work import Work, lines_of

GROUP, NODE, DEVICE = "mine-a", "edge2", "belt7"
HOST: Final = "scada1"
STATE: Final = f"spBv1.0/STATE/{HOST}"
SETPOINT: Final = "mine-a/plant/conveyor/setpoint"
REBIRTH: Final = "Node Control/Rebirth"
NODE_METRICS: Final[dict[str, Metric]] = {
    REBIRTH: False,
    "Properties/Firmware": "3.4.1",
    "Temperature": 41.5,
    "Uptime": 86_000,
}
BELT_METRICS: Final[dict[str, Metric]] = {"Speed": 2.5, "Load": 812.0, "Running": True, "Tonnes": 120_400}


@dataclass(slots=True)
class Conveyors:
    """The broker's morning: what happens when, in the order of time once `run` is called."""

    site: MineARemote
    broker: Broker = field(default_factory=Broker)
    edge: EdgeNode = field(default_factory=lambda: EdgeNode(GROUP, NODE, birth=12))
    #: Station -> its connections.
    _connections: list[tuple[str, Connection]] = field(default_factory=list)
    _events: list[tuple[int, int, Callable[[int], None]]] = field(default_factory=list)

    def at(self, second: float, event: Callable[[int], None]) -> None:
        """Let something happen; it is called with its moment, ns since the epoch."""
        self._events.append((self.site.at(second), len(self._events), event))

    def joined(self, station: str, connection: Connection) -> Connection:
        """A station's new connection."""
        self._connections.append((station, connection))
        return connection

    def run(self) -> None:
        """Let all of it happen, and put it on the wire."""
        for at_ns, _, event in sorted(self._events, key=lambda one: one[:2]):
            event(at_ns)
        for station, connection in self._connections:
            self.site.talk(
                station, "mq1", PORT, connection.lines, end=connection.end, end_ns=connection.end_ns
            )
        self.site.packets.update(self.broker.counted)

    # -- who is there on a good day --------------------------------------------------------------------------

    def host(self, from_s: int, to_s: int) -> None:
        """The SCADA server listens to the conveyors, says that it is there, and now and then that it still is."""
        held: list[Connection] = []

        def join(at_ns: int) -> None:
            will = Will(STATE, _state(at_ns, online=False), qos=1, retain=True)
            who = self.broker.connect(
                at_ns,
                HOST,
                5,
                will=will,
                properties={"session_expiry_s": 0, "receive_maximum": 20},
                answer_properties={"topic_alias_maximum": 10, "maximum_packet_bytes": 65_536},
            )
            held.append(self.joined("scada1", who))
            self.broker.subscribe(who, at_ns + SECOND, [(f"spBv1.0/{GROUP}/#", 1), ("mine-a/plant/#", 0)])
            self.broker.publish(who, at_ns + SECOND, STATE, _state(at_ns, online=True), qos=1, retain=True)

        self.at(from_s, join)
        for second in range(from_s + 30, to_s, 45):
            self.at(second, lambda at_ns: self.broker.ping(held[0], at_ns))
        self.at(to_s, lambda at_ns: self.broker.disconnect(held[0], at_ns))

    def node(self, from_s: int) -> list[Connection]:
        """The edge node connects and is born, its belt with it; the list has its connection from then on."""
        held: list[Connection] = []

        def join(at_ns: int) -> None:
            who = self.connect_node(at_ns)
            held.append(who)
            self.birth(who, at_ns + SECOND)

        self.at(from_s, join)
        return held

    def birth(self, who: Connection, at_ns: int) -> None:
        """Everything that the node and its belt have."""
        topic = self.edge.topic
        self.broker.publish(who, at_ns, topic("NBIRTH"), self.edge.born(NODE_METRICS, at_ns))
        born = self.edge.device_born(BELT_METRICS, at_ns)
        self.broker.publish(who, at_ns + SECOND, topic("DBIRTH", DEVICE), born)

    def connection_of(self, station: str) -> Connection:
        """The newest connection of a station."""
        return next(connection for name, connection in reversed(self._connections) if name == station)

    def connect_node(self, at_ns: int, station: str = "edge2", version: Version = 4) -> Connection:
        """A connection with the edge node's client id and its last will; it wants its commands."""
        will = Will(self.edge.topic("NDEATH"), self.edge.will(), qos=1)
        who = self.joined(station, self.broker.connect(at_ns, NODE, version, will=will))
        commands = [(self.edge.topic("NCMD"), 1), (f"spBv1.0/{GROUP}/DCMD/{NODE}/+", 1), (STATE, 1)]
        self.broker.subscribe(who, at_ns, commands)
        return who

    def readings(self, held: list[Connection], from_s: int, to_s: int, every_s: int) -> None:
        """The belt's speed and load, again and again."""
        for number, second in enumerate(range(from_s, to_s, every_s)):
            self.at(second, lambda at_ns, number=number: self.reading(held, at_ns, number))  # type: ignore[misc]

    def reading(self, held: list[Connection], at_ns: int, number: int) -> None:
        """One DDATA of the newest connection."""
        changed: dict[str, Metric] = {"Speed": 2.5 + 0.01 * (number % 9), "Load": 812.0 + number % 31}
        topic = self.edge.topic("DDATA", DEVICE)
        self.broker.publish(held[-1], at_ns, topic, self.edge.data(changed, at_ns))

    def vibration(self, from_s: int, to_s: int) -> None:
        """The vibration gateway publishes in TLS: nothing can be seen but that it does."""
        chance = self.site.chance("vibration")
        lines = tls.handshake_13(
            chance, at_ns=self.site.at(from_s), name="mq1.mine-a.example", alpn=("mqtt",)
        )
        work = Work(self.site.at(from_s + 1), self.site.at(to_s), 15 * SECOND)
        lines += lines_of(work, chance, lambda draw: tls.sealed(draw, 88), lambda draw: tls.sealed(draw, 4))
        self.site.talk("edge1", "mq1", TLS_PORT, lines)


def command(metrics: dict[str, Metric], now_ns: int) -> bytes:
    """An NCMD or DCMD."""
    return sparkplug.command(metrics, now_ns)


def _state(at_ns: int, *, online: bool) -> bytes:
    """STATE (Sparkplug 3.0, 6.4.27)."""
    return f'{{"online":{str(online).lower()},"timestamp":{at_ns // 1_000_000}}}'.encode()
