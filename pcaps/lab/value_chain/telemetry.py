"""What gateways publish from midnight to midnight, through the operations' MQTT broker, and who listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pcaps.lab.site import Site
from pcaps.lab.synth import mqtt
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import End
from pcaps.lab.synth.mqtt.sparkplug import Metric

#: Within the keep-alive of 60 s, so that no client has to ping.
_PERIOD_NS: Final = 50 * SECOND
_BROKER: Final = "mq1"
_VIBRATION_TOPIC: Final = "mtp/plant/mill1/vibration"
_CRANE: Final = "crane1"


class Telemetry:
    """The broker's day: actions by their time in; once all are known, conversations on the site's network out."""

    def __init__(self, site: Site) -> None:
        self.broker = mqtt.Broker()
        self._site = site
        self._actions: list[tuple[int, Callable[[int], None]]] = []
        self._clients: list[tuple[str, mqtt.Connection]] = []

    def at(self, at_ns: int, action: Callable[[int], None]) -> None:
        """Do something with the broker at that time; actions may be given in any order."""
        self._actions.append((at_ns, action))

    def connect(self, station: str, at_ns: int, will: mqtt.Will | None = None) -> mqtt.Connection:
        """A station's connection under its own name; only within an action."""
        made = self.broker.connect(at_ns, station, will=will)
        self._clients.append((station, made))
        return made

    def calm_day(self) -> None:
        """Mill vibration as JSON, crane and ship loader as Sparkplug B; the SCADA server listens to both."""
        start, end = self._site.start_ns, self._site.end_ns
        self.at(start + 2 * SECOND, self._scada)
        self._vibration(start + 4 * SECOND, end - 20 * SECOND)
        self._crane(start + 9 * SECOND, end - 20 * SECOND)

    def listener(self, station: str, wanted: str, from_ns: int, to_ns: int) -> None:
        """A station connects, subscribes to one filter, listens for a while, and goes."""
        connections: list[mqtt.Connection] = []

        def come(at_ns: int) -> None:
            connections.append(self.connect(station, at_ns))
            self.broker.subscribe(connections[0], at_ns + SECOND, [(wanted, 0)])

        self.at(from_ns, come)
        self.at(to_ns, lambda at_ns: self.broker.disconnect(connections[0], at_ns))

    def talk(self) -> None:
        """Everything is known: put the connections on the network."""
        for at_ns, action in sorted(self._actions, key=lambda one: one[0]):
            action(at_ns)
        for station, made in self._clients:
            self._site.talk(
                station,
                _BROKER,
                mqtt.PORT,
                made.lines,
                end=End.STAYS_OPEN if made.open else made.end,
                end_ns=made.end_ns,
            )

    def _scada(self, at_ns: int) -> None:
        scada = self.connect("scada1", at_ns)
        filters = [(_VIBRATION_TOPIC, 1), (f"spBv1.0/port/DDATA/{_CRANE}/+", 0)]
        self.broker.subscribe(scada, at_ns + SECOND, filters)

    def _vibration(self, first_ns: int, end_ns: int) -> None:
        connections: list[mqtt.Connection] = []
        self.at(first_ns, lambda at_ns: connections.append(self.connect("vibration1", at_ns)))

        def publish(at_ns: int) -> None:
            minute = (at_ns - first_ns) // (60 * SECOND)
            body = b'{"vibration_um_s":%d,"temperature_dc":%d}' % (
                1_800 + minute * 13 % 240,
                412 + minute % 30,
            )
            self.broker.publish(connections[0], at_ns, _VIBRATION_TOPIC, body, qos=1)

        for at_ns in range(first_ns + SECOND, end_ns, _PERIOD_NS):
            self.at(at_ns, publish)

    def _crane(self, first_ns: int, end_ns: int) -> None:
        node = mqtt.EdgeNode("port", _CRANE)
        connections: list[mqtt.Connection] = []

        def born(at_ns: int) -> None:
            will = mqtt.Will(node.topic("NDEATH"), node.will(), qos=1)
            connections.append(self.connect(_CRANE, at_ns, will))
            about: dict[str, Metric] = {"Properties/Maker": "Acme Cranes", "Node Control/Rebirth": False}
            said = [(node.topic("NBIRTH"), node.born(about, at_ns))]
            said += [
                (node.topic("DBIRTH", device), node.device_born(_readings(device, 0), at_ns))
                for device in _DEVICES
            ]
            for topic, payload in said:
                self.broker.publish(connections[0], at_ns + SECOND, topic, payload)

        self.at(first_ns, born)
        for number, at_ns in enumerate(range(first_ns + 5 * SECOND, end_ns, _PERIOD_NS)):
            device = _DEVICES[number % len(_DEVICES)]

            def tell(at_ns: int, device: str = device, number: int = number) -> None:
                payload = node.data(_readings(device, number), at_ns)
                self.broker.publish(connections[0], at_ns, node.topic("DDATA", device), payload)

            self.at(at_ns, tell)


_DEVICES: Final = ("hoist", "boom", "quay-belt")


def _readings(device: str, number: int) -> dict[str, Metric]:
    """A device's metrics: a slow swing, the same everywhere."""
    swing = abs(number % 90 - 45)
    if device == "quay-belt":
        return {"Load_t_h": 3_200 + 9 * swing, "Running": True}
    return {"Load_t": 18 + swing // 2, "Position_mm": 12_000 + 310 * swing}
