"""Mine A, the demo site: its stations, and what they say to each other on a calm day."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from pcaps.lab.synth import opcua
from pcaps.lab.synth.background import (
    HTTPS_PORT,
    MQTT_PORT,
    Exchange,
    converse,
    dns_question,
    mqtt_day,
    ntp_question,
    opcua_day,
    tls_visit,
)
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND, Clock
from pcaps.lab.synth.frames import arp_reply, arp_request
from pcaps.lab.synth.modbus import (
    READ_HOLDING,
    READ_INPUT,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Client,
    Controller,
    Request,
)
from pcaps.lab.synth.network import Host, Impairment, Network

#: Monday 16 November 2026, 08:00 in Santiago. The synthetic captures follow each other from here on, so that
#: together they make one morning; each scenario says how many minutes later it starts.
MORNING_NS: Final = 1_794_826_800 * SECOND
MINUTE_NS: Final = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's network, its VLAN, and the leg from its stations to the router."""

    name: str
    network: str
    vlan: int
    leg_us: int

    @property
    def router_ip(self) -> str:
        """The router's address in the zone."""
        return f"{self.network}.1"

    @property
    def router_mac(self) -> str:
        """The router's port into the zone; the range is RFC 7042's, for documentation."""
        return f"00:00:5e:00:53:{0xE0 + self.vlan // 10:02x}"


@dataclass(frozen=True, slots=True)
class Station:
    """A station as the site's drawings have it."""

    name: str
    zone: str
    number: int
    mac: int
    ack_delay_ms: int = 40
    timestamps: bool = True


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


class MineA:
    """The stations on one network, and their conversations."""

    def __init__(
        self, seed: int, minutes: int, impairments: Sequence[Impairment] = (), *, start_ns: int = MORNING_NS
    ) -> None:
        self.seed = seed
        self.start_ns = start_ns
        self.end_ns = start_ns + minutes * MINUTE_NS
        self.clock = Clock(self.start_ns)
        self.network = Network(self.clock, seed, tuple(impairments))
        self.hosts: Mapping[str, Host] = MappingProxyType({s.name: _host(s, seed) for s in STATIONS})
        self.clients: list[Client] = []
        self._controllers = {
            name: Controller(
                self.hosts[name],
                200,
                service_ms * MILLISECOND,
                2 * MILLISECOND,
                random.Random(f"{seed}/scan/{name}"),
            )
            for name, service_ms in (("plc1", 11), ("plc2", 9), ("plc3", 14), ("meter1", 26))
        }
        self._next_port = dict.fromkeys(self.hosts, 49_152)

    def client(self, client: str, server: str) -> Client:
        """A new Modbus client of a controller, with a range of local ports of its own."""
        port = self._next_port[client]
        self._next_port[client] += 1_000
        made = Client(self.network, self.hosts[client], self._controllers[server], port)
        self.clients.append(made)
        return made

    def poll(
        self,
        client: str,
        server: str,
        requests: Sequence[Request],
        period_ms: int,
        *,
        offset_ms: int,
        connection_s: int,
        at_once: bool = False,
    ) -> None:
        """A client that asks the same again and again, for the whole capture."""
        self.clock.start(
            self.client(client, server).poll(
                requests,
                start_ns=self.start_ns + offset_ms * MILLISECOND,
                end_ns=self.end_ns - 2 * SECOND,
                period_ns=period_ms * MILLISECOND,
                connection_ns=connection_s * SECOND,
                at_once=at_once,
            )
        )

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
            start_ns = self.start_ns + minute * MINUTE_NS + 17 * SECOND
            self.clock.start(self.client("ews1", "plc1").session(start_ns, SETPOINTS, 4 * SECOND))

    def background(self) -> None:
        """What else is on the wire: OPC UA, MQTT, the historian's pages, names, time, ARP."""
        start, end = self.start_ns, self.end_ns - 10 * SECOND
        opc = opcua_day("opc.tcp://10.20.0.31:4840/", start + 2 * SECOND, end, 10 * SECOND)
        self._converse("scada1", "ua1", opcua.PORT, opc, 3)
        vibration = mqtt_day("edge1", "mine-a/plant/mill1/vibration", start + 4 * SECOND, end, 20 * SECOND)
        self._converse("edge1", "mq1", MQTT_PORT, vibration, 1)
        for visit, at in enumerate(range(start + 40 * SECOND, end - 20 * SECOND, 5 * MINUTE_NS)):
            chance = random.Random(f"{self.seed}/tls/{visit}")
            self._converse(
                "reports1", "hist1", HTTPS_PORT, tls_visit("hist1.mine-a.example", at, 4, 3_600, chance), 6
            )
        for order, name in enumerate(("scada1", "hmi1", "edge1", "hist1")):
            self._every(64, 5 + 3 * order, partial(self._ask_time, name))
        self._every(90, 11, lambda number: self._ask_name("scada1", number))
        self._every(150, 23, lambda number: self._ask_name("edge1", number + 7_000))
        for order, host in enumerate(self.hosts.values()):
            self._every(120, 1 + order, partial(self._ask_hardware_address, host))

    def session(self, client: str, server: str, start_s: int, requests: Sequence[Request]) -> None:
        """One Modbus connection that asks one request after the other, three seconds apart."""
        start_ns = self.start_ns + start_s * SECOND
        self.clock.start(self.client(client, server).session(start_ns, requests, 3 * SECOND))

    def visit(self, client: str, server: str, port: int, exchanges: Sequence[tuple[int, Exchange]]) -> None:
        """One TCP connection of another protocol."""
        self._converse(client, server, port, exchanges, 4)

    def run(self) -> None:
        """Let it all happen."""
        self.clock.run()

    def _converse(
        self, client: str, server: str, port: int, exchanges: Sequence[tuple[int, Exchange]], service_ms: int
    ) -> None:
        local = self._next_port[client]
        self._next_port[client] += 1
        self.clock.start(
            converse(
                self.network,
                self.hosts[client],
                local,
                self.hosts[server],
                port,
                exchanges,
                service_ms * MILLISECOND,
            )
        )

    def _every(self, period_s: int, offset_s: int, event: Callable[[int], None]) -> None:
        for number, at in enumerate(
            range(self.start_ns + offset_s * SECOND, self.end_ns - SECOND, period_s * SECOND), 1
        ):
            self.clock.at(at, partial(event, number))

    def _ask_time(self, name: str, _: int) -> None:
        ntp_question(self.network, self.hosts[name], self.hosts["dns1"])

    def _ask_name(self, name: str, number: int) -> None:
        dns_question(
            self.network,
            self.hosts[name],
            self.hosts["dns1"],
            number,
            "mq1.mine-a.example",
            self.hosts["mq1"].ip,
        )

    def _ask_hardware_address(self, host: Host, _: int) -> None:
        """Station and router look each other up; of the router's own frames the SPAN port shows none."""
        router_ip = f"{host.ip.rsplit('.', 1)[0]}.1"
        self.network.broadcast(host, arp_request(host.mac, host.ip, router_ip))
        self.clock.after(
            30 * SECOND,
            lambda: self.network.broadcast(host, arp_reply(host.mac, host.ip, host.router_mac, router_ip)),
        )


def _host(station: Station, seed: int) -> Host:
    zone = next(zone for zone in ZONES if zone.name == station.zone)
    return Host(
        name=station.name,
        zone=zone.name,
        ip=f"{zone.network}.{station.number}",
        mac=f"00:00:5e:00:53:{station.mac:02x}",
        router_mac=zone.router_mac,
        leg_ns=zone.leg_us * MICROSECOND,
        jitter_ns=zone.leg_us * MICROSECOND // 20,
        ack_delay_ns=station.ack_delay_ms * MILLISECOND,
        timestamps=station.timestamps,
        ip_id=random.Random(f"{seed}/ip-id/{station.name}").getrandbits(16),
        vlan=zone.vlan,
    )
