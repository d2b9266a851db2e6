"""A site as a simulation runs it: zones around one router, stations in them, and how conversations are started.

What a particular site has and says on a day is in its own module: `mine_a`, `value_chain`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

from pcaps.lab.synth.background import Exchange, converse, dns_question, ntp_question
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND, Clock
from pcaps.lab.synth.dialogue import End, Line, talk
from pcaps.lab.synth.frames import arp_reply, arp_request
from pcaps.lab.synth.modbus import Client, Controller, Request
from pcaps.lab.synth.network import Host, Impairment, Network

#: Monday 16 November 2026, 08:00 in Santiago. The synthetic captures follow each other from here on, so that
#: together they make one morning; each scenario says how many minutes later it starts.
MORNING_NS: Final = 1_794_826_800 * SECOND
MINUTE_NS: Final = 60 * SECOND
#: The first local port of a station; the range is the one that RFC 6335 leaves for it.
_FIRST_PORT: Final = 49_152


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's network (three octets), its VLAN, and the leg from its stations to the router."""

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
    """A station as the site's drawings have it: `number` and `mac` are the last octets of its addresses."""

    name: str
    zone: str
    number: int
    mac: int
    ack_delay_ms: int = 40
    timestamps: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A site's drawing."""

    zones: Sequence[Zone]
    stations: Sequence[Station]
    #: Which stations are Modbus controllers, and how long one takes to answer, in ms.
    controllers: Mapping[str, int]
    #: Who answers questions for the time and for names.
    clock_and_names: str
    #: Registers of each controller, counted from 0.
    registers: int = 200
    #: Local ports set aside for each Modbus client: the connections that it may open in one capture.
    ports_a_client: int = 1_000

    def address(self, station: str) -> str:
        """A station's IP address."""
        found = next(one for one in self.stations if one.name == station)
        return f"{self._zone_of(found).network}.{found.number}"

    def host(self, station: Station, seed: int) -> Host:
        """The station as the network knows it."""
        zone = self._zone_of(station)
        return Host(
            name=station.name,
            zone=zone.name,
            ip=self.address(station.name),
            mac=f"00:00:5e:00:53:{station.mac:02x}",
            router_mac=zone.router_mac,
            leg_ns=zone.leg_us * MICROSECOND,
            jitter_ns=zone.leg_us * MICROSECOND // 20,
            ack_delay_ns=station.ack_delay_ms * MILLISECOND,
            timestamps=station.timestamps,
            ip_id=random.Random(f"{seed}/ip-id/{station.name}").getrandbits(16),
            vlan=zone.vlan,
        )

    def _zone_of(self, station: Station) -> Zone:
        return next(zone for zone in self.zones if zone.name == station.zone)


@dataclass(slots=True)
class _Ports:
    """The next local port of each station."""

    next_port: dict[str, int] = field(default_factory=dict)

    def take(self, station: str, count: int) -> int:
        first = self.next_port.get(station, _FIRST_PORT)
        if first + count > 65_536:
            raise ValueError(f"{station} has no {count} local ports left: give its clients fewer")
        self.next_port[station] = first + count
        return first


class Site:
    """The stations of a plan on one network, from `start_ns` for so many minutes; what they say is started on it.

    Times of the methods count from the capture's start. Nothing happens before `run`.
    """

    def __init__(
        self,
        plan: Plan,
        seed: int,
        minutes: int,
        impairments: Sequence[Impairment] = (),
        *,
        start_ns: int = MORNING_NS,
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.start_ns = start_ns
        self.end_ns = start_ns + minutes * MINUTE_NS
        self.clock = Clock(self.start_ns)
        self.network = Network(self.clock, seed, tuple(impairments))
        self.hosts: Mapping[str, Host] = MappingProxyType({s.name: plan.host(s, seed) for s in plan.stations})
        self.clients: list[Client] = []
        self._controllers = {
            name: Controller(
                self.hosts[name],
                plan.registers,
                service_ms * MILLISECOND,
                2 * MILLISECOND,
                random.Random(f"{seed}/scan/{name}"),
            )
            for name, service_ms in plan.controllers.items()
        }
        self._ports = _Ports()

    def client(self, client: str, server: str) -> Client:
        """A new Modbus client of a controller, with a range of local ports of its own."""
        port = self._ports.take(client, self.plan.ports_a_client)
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

    def session(
        self, client: str, server: str, start_s: int, requests: Sequence[Request], *, pause_s: int = 3
    ) -> None:
        """One Modbus connection that asks one request after the other, some seconds apart."""
        start_ns = self.start_ns + start_s * SECOND
        self.clock.start(self.client(client, server).session(start_ns, requests, pause_s * SECOND))

    def visit(
        self,
        client: str,
        server: str,
        port: int,
        exchanges: Sequence[tuple[int, Exchange]],
        *,
        service_ms: int = 4,
    ) -> None:
        """One TCP connection of another protocol; the exchanges' times are ns since the epoch."""
        self.clock.start(
            converse(
                self.network,
                self.hosts[client],
                self._ports.take(client, 1),
                self.hosts[server],
                port,
                exchanges,
                service_ms * MILLISECOND,
            )
        )

    def talk(
        self,
        client: str,
        server: str,
        port: int,
        lines: Sequence[Line],
        *,
        end: End = End.CLIENT_CLOSES,
        end_ns: int = 0,
    ) -> None:
        """One TCP connection in which both sides have lines; it opens at the time of the first."""
        ends = (self.hosts[client], self._ports.take(client, 1), self.hosts[server], port)
        self.clock.start(talk(self.network, ends, lines, start_ns=lines[0].at_ns, end=end, end_ns=end_ns))

    def every(self, period_s: int, offset_s: int, event: Callable[[int], None]) -> None:
        """Call an event again and again, with its number from 1 on."""
        for number, at in enumerate(
            range(self.start_ns + offset_s * SECOND, self.end_ns - SECOND, period_s * SECOND), 1
        ):
            self.clock.at(at, partial(event, number))

    def ask_time(self, name: str, _: int = 0) -> None:
        """A station asks for the time, now."""
        ntp_question(self.network, self.hosts[name], self.hosts[self.plan.clock_and_names])

    def ask_name(self, name: str, asked: str, answer: str, number: int) -> None:
        """A station asks for the address of a name, now; `answer` is the station that has it."""
        dns_question(
            self.network,
            self.hosts[name],
            self.hosts[self.plan.clock_and_names],
            number,
            asked,
            self.hosts[answer].ip,
        )

    def ask_hardware_address(self, host: Host, _: int = 0) -> None:
        """Station and router look each other up; of the router's own frames the SPAN port shows none."""
        router_ip = f"{host.ip.rsplit('.', 1)[0]}.1"
        self.network.broadcast(host, arp_request(host.mac, host.ip, router_ip))
        self.clock.after(
            30 * SECOND,
            lambda: self.network.broadcast(host, arp_reply(host.mac, host.ip, host.router_mac, router_ip)),
        )

    def run(self) -> None:
        """Let it all happen."""
        self.clock.run()
