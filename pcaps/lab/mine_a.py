"""Mine A, the demo site: its stations, and what they say to each other on a calm day."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Final

from pcaps.lab.site import MINUTE_NS, MORNING_NS, Plan, Site, Station, Zone
from pcaps.lab.synth import opcua
from pcaps.lab.synth.background import HTTPS_PORT, MQTT_PORT, mqtt_day, opcua_day, tls_visit
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.modbus import READ_HOLDING, READ_INPUT, WRITE_MULTIPLE, WRITE_SINGLE, Request
from pcaps.lab.synth.network import Impairment

ZONES: Final = (
    Zone("enterprise", "10.40.0", 40, 400),
    Zone("dmz", "10.35.0", 30, 90),
    Zone("operations", "10.30.0", 50, 110),
    Zone("supervisory", "10.25.0", 20, 120),
    Zone("plant", "10.20.0", 60, 310),
    Zone("crushing", "10.21.0", 70, 450),
    Zone("energy", "10.22.0", 80, 700),
)

#: The controllers' small stacks carry no timestamps; plc1 acknowledges at once, the others with their answer.
STATIONS: Final = (
    Station("reports1", "enterprise", 20, 0x10),
    Station("ent-ws7", "enterprise", 77, 0x17),
    Station("hist1", "dmz", 10, 0x20),
    Station("jump1", "dmz", 20, 0x21),
    Station("mq1", "operations", 30, 0x30),
    Station("dns1", "operations", 53, 0x31),
    Station("scada1", "supervisory", 20, 0x40),
    Station("hmi1", "supervisory", 21, 0x41),
    Station("ews1", "supervisory", 40, 0x42),
    Station("plc1", "plant", 11, 0x01, ack_delay_ms=0, timestamps=False),
    Station("plc2", "plant", 12, 0x02, timestamps=False),
    Station("ua1", "plant", 31, 0x03),
    Station("edge1", "plant", 41, 0x04),
    Station("plc3", "crushing", 11, 0x05, timestamps=False),
    Station("meter1", "energy", 11, 0x06, timestamps=False),
)

PLAN: Final = Plan(
    zones=ZONES,
    stations=STATIONS,
    controllers={"plc1": 11, "plc2": 9, "plc3": 14, "meter1": 26},
    clock_and_names="dns1",
)

READ_STATUS: Final = Request(READ_HOLDING, 0, 20)
READ_VALUES: Final = Request(READ_INPUT, 0, 16)
READ_TREND: Final = Request(READ_INPUT, 0, 60)
#: Setpoints live in 100-119; the engineering station may write them.
SETPOINTS: Final = (
    Request(READ_HOLDING, 100, 20),
    Request(WRITE_MULTIPLE, 100, 4, (1450, 1455, 620, 75)),
    Request(WRITE_SINGLE, 110, 1, (900,)),
    Request(READ_HOLDING, 100, 20),
)
#: What the trend server asks for at once, without waiting: six pages of the input registers.
TREND_PAGES: Final = tuple(Request(READ_INPUT, 20 * page, 20) for page in range(6))


class MineA(Site):
    """The stations on one network, and their conversations."""

    def __init__(
        self, seed: int, minutes: int, impairments: Sequence[Impairment] = (), *, start_ns: int = MORNING_NS
    ) -> None:
        super().__init__(PLAN, seed, minutes, impairments, start_ns=start_ns)

    def operators(self) -> None:
        """The control room and the historian, as the site's policy allows them."""
        self.poll("hmi1", "plc1", (READ_STATUS,), 2_000, offset_ms=350, connection_s=60)
        self.poll("hmi1", "plc2", (READ_VALUES,), 5_000, offset_ms=1_120, connection_s=120)
        self.poll("hmi1", "plc3", (READ_STATUS,), 5_000, offset_ms=2_470, connection_s=60)
        self.poll("hist1", "plc1", (READ_TREND,), 10_000, offset_ms=3_810, connection_s=60)
        self.poll("hist1", "plc2", (READ_TREND,), 10_000, offset_ms=5_260, connection_s=120)
        self.poll("scada1", "meter1", (READ_VALUES,), 30_000, offset_ms=6_640, connection_s=120)

    def engineering(self, *minutes: int) -> None:
        """The engineering station sets setpoints, in the range that its rule gives it."""
        for minute in minutes:
            self.session("ews1", "plc1", minute * MINUTE_NS // SECOND + 17, SETPOINTS, pause_s=4)

    def background(self) -> None:
        """What else is on the wire: OPC UA, MQTT, the historian's pages, names, time, ARP."""
        start, end = self.start_ns, self.end_ns - 10 * SECOND
        opc = opcua_day("opc.tcp://10.20.0.31:4840/", start + 2 * SECOND, end, 10 * SECOND)
        self.visit("scada1", "ua1", opcua.PORT, opc, service_ms=3)
        vibration = mqtt_day("edge1", "mine-a/plant/mill1/vibration", start + 4 * SECOND, end, 20 * SECOND)
        self.visit("edge1", "mq1", MQTT_PORT, vibration, service_ms=1)
        for visit, at in enumerate(range(start + 40 * SECOND, end - 20 * SECOND, 5 * MINUTE_NS)):
            pages = tls_visit("hist1.mine-a.example", at, 4, 3_600, random.Random(f"{self.seed}/tls/{visit}"))
            self.visit("reports1", "hist1", HTTPS_PORT, pages, service_ms=6)
        for order, name in enumerate(("scada1", "hmi1", "edge1", "hist1")):
            self.every(64, 5 + 3 * order, partial(self.ask_time, name))
        self.every(90, 11, lambda number: self._ask_broker("scada1", number))
        self.every(150, 23, lambda number: self._ask_broker("edge1", number + 7_000))
        for order, host in enumerate(self.hosts.values()):
            self.every(120, 1 + order, partial(self.ask_hardware_address, host))

    def _ask_broker(self, name: str, number: int) -> None:
        self.ask_name(name, "mq1.mine-a.example", "mq1", number)
