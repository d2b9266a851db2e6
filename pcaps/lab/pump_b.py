"""Pump station B: a small site for stories of one thing each. Its stations, and what they say on a calm day."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from pcaps.lab.site import MORNING_NS, Plan, Site, Station, Zone
from pcaps.lab.synth.clock import MILLISECOND, SECOND
from pcaps.lab.synth.modbus import PORT, READ_HOLDING, READ_INPUT, Client, Request
from pcaps.lab.synth.modbus_script import Script
from pcaps.lab.synth.network import Impairment
from pcaps.lab.synth.tally import Operations, Said, operations

NAME: Final = "Pump station B"
POLICY: Final = "policies/pump-b.yaml"
#: Monday 16 November 2026, 15:00 in Santiago: each scenario says how many minutes later it starts.
AFTERNOON_NS: Final = MORNING_NS + 7 * 3_600 * SECOND

PLAN: Final = Plan(
    zones=(
        Zone("enterprise", "10.240.0", 40, 400),
        Zone("dmz", "10.235.0", 30, 90),
        Zone("control-room", "10.225.0", 20, 120),
        Zone("pumps", "10.220.0", 60, 310),
        Zone("intake", "10.221.0", 70, 450),
        # Somewhere on the internet; the range is RFC 5737's, for documentation.
        Zone("outside", "203.0.113", 90, 14_000),
    ),
    stations=(
        Station("office5", "enterprise", 5, 0x10),
        Station("hist2", "dmz", 10, 0x20),
        Station("hmi2", "control-room", 21, 0x41),
        Station("ews2", "control-room", 40, 0x42),
        Station("scan2", "control-room", 60, 0x43),
        Station("nms2", "control-room", 70, 0x44),
        Station("net-a", "control-room", 53, 0x45),
        Station("net-b", "control-room", 54, 0x46),
        Station("pump1", "pumps", 11, 0x01, ack_delay_ms=0, timestamps=False),
        Station("pump2", "pumps", 12, 0x02, timestamps=False),
        Station("valve1", "pumps", 13, 0x03, timestamps=False),
        Station("gw1", "pumps", 31, 0x04, timestamps=False),
        Station("panel1", "pumps", 61, 0x05),
        Station("intake1", "intake", 11, 0x06, timestamps=False),
        Station("panel3", "intake", 61, 0x07),
        # Brought along by somebody.
        Station("laptop", "pumps", 99, 0x99),
        Station("visitor", "control-room", 99, 0x9A),
        Station("stranger", "outside", 77, 0x9B),
    ),
    controllers={"pump1": 11, "pump2": 9, "valve1": 8, "gw1": 34, "intake1": 14},
    clock_and_names="net-a",
    registers=2_000,
)

READ_STATUS: Final = Request(READ_HOLDING, 0, 20)
READ_VALUES: Final = Request(READ_INPUT, 0, 16)
READ_TREND: Final = Request(READ_INPUT, 0, 60)

#: Not in the policy: who of these takes part in a story, announces itself in it.
_UNDECLARED: Final = ("laptop", "visitor", "stranger")


class PumpB(Site):
    """The stations on one network, and their conversations; it remembers what was said in Modbus."""

    def __init__(
        self, seed: int, minutes: int, impairments: Sequence[Impairment] = (), *, start_minute: int
    ) -> None:
        super().__init__(PLAN, seed, minutes, impairments, start_ns=AFTERNOON_NS + start_minute * 60 * SECOND)
        self._clients: list[tuple[str, str, Client]] = []
        self._scripts: list[tuple[str, str, Script]] = []

    def client(self, client: str, server: str) -> Client:
        """A new Modbus client of a controller, with a range of local ports of its own."""
        made = super().client(client, server)
        self._clients.append((client, server, made))
        return made

    def at(self, second: float) -> int:
        """A second of the capture, in ns since the epoch."""
        return self.start_ns + round(second * SECOND)

    def chance(self, name: str) -> random.Random:
        """A source of chance of its own for each conversation."""
        return random.Random(f"{self.seed}/{name}")

    def say(self, client: str, server: str, script: Script, *, service_ms: int = 12) -> None:
        """A Modbus connection told word for word."""
        self._scripts.append((client, server, script))
        self.visit(client, server, PORT, script.exchanges, service_ms=service_ms)

    def calm(self, *, connection_s: int = 60) -> None:
        """The control room and the historian read, stations and router look each other up: all of it allowed."""
        self.operate(0, (self.end_ns - self.start_ns) // SECOND - 2, connection_s=connection_s)
        for order, host in enumerate(self.hosts.values()):
            if host.name not in _UNDECLARED:
                self.every(120, 1 + order, partial(self.ask_hardware_address, host))

    def operate(self, first_s: int, last_s: int, *, connection_s: int = 60) -> None:
        """The control room and the historian read, in these seconds of the capture."""
        for client, server, request, period_ms, offset_ms in (
            ("hmi2", "pump1", READ_STATUS, 2_000, 350),
            ("hmi2", "pump2", READ_VALUES, 5_000, 1_120),
            ("hist2", "pump1", READ_TREND, 10_000, 3_810),
        ):
            process = self.client(client, server).poll(
                (request,),
                start_ns=self.at(first_s) + offset_ms * MILLISECOND,
                end_ns=self.at(last_s),
                period_ns=period_ms * MILLISECOND,
                connection_ns=connection_s * SECOND,
            )
            self.clock.start(process)

    def said_by(self, client: str) -> list[tuple[str, Said]]:
        """What a polling client asked whom, as it counts itself."""
        return [
            (server, one) for name, server, source in self._clients if name == client for one in source.said
        ]

    def operations(self, seen: Callable[[str, Said], Said] = lambda _, one: one) -> list[Operations]:
        """What was asked and answered, by client, server and function, as the stations count.

        `seen` says how much a tap saw of a client's request and its answer, where that is not all.
        """
        said: dict[tuple[str, str], list[Said]] = {}
        sources = [(client, server, source.said) for client, server, source in self._clients]
        sources += [(client, server, source.said) for client, server, source in self._scripts]
        for client, server, all_of in sources:
            pair = (self.hosts[client].ip, self.hosts[server].ip)
            said.setdefault(pair, []).extend(seen(client, one) for one in all_of)
        return [one for pair, those in said.items() for one in operations(*pair, those)]
