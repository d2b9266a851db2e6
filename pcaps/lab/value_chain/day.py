"""Mine to port from midnight to midnight: what its stations say to each other on a calm day.

Polls are thinned (one each half minute or minute), so that a capture of a whole day stays small.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Final

from pcaps.lab.site import MINUTE_NS, Site
from pcaps.lab.synth import opcua, rdp, tls
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import Line, client, server
from pcaps.lab.synth.keys import Identity, identity
from pcaps.lab.synth.modbus import READ_HOLDING, READ_INPUT, WRITE_MULTIPLE, WRITE_SINGLE, Request
from pcaps.lab.synth.network import Impairment
from pcaps.lab.synth.work import Work
from pcaps.lab.value_chain.plan import NAME, PLAN
from pcaps.lab.value_chain.telemetry import Telemetry

#: Tuesday 17 November 2026, midnight in Santiago.
MIDNIGHT_NS: Final = 1_794_884_400 * SECOND
DAY_MINUTES: Final = 24 * 60

READ_STATUS: Final = Request(READ_HOLDING, 0, 20)
READ_VALUES: Final = Request(READ_INPUT, 0, 16)
READ_TREND: Final = Request(READ_INPUT, 0, 40)
READ_SETPOINTS: Final = Request(READ_HOLDING, 100, 20)
#: The mill's setpoints live in 100-119; the engineering station may write them at any time.
MILL_SETPOINTS: Final = (
    READ_SETPOINTS,
    Request(WRITE_MULTIPLE, 100, 4, (1450, 1455, 620, 75)),
    Request(WRITE_SINGLE, 110, 1, (900,)),
    READ_SETPOINTS,
)
#: The crusher's parameters live in 120-129: changed with its vendor, in an approved window.
CRUSHER_PARAMETERS: Final = (
    Request(READ_HOLDING, 120, 10),
    Request(WRITE_MULTIPLE, 120, 3, (180, 175, 42)),
    Request(READ_HOLDING, 120, 10),
)
_HALF_MINUTE_MS: Final = 30_000
_MINUTE_MS: Final = 60_000
_DOMAIN: Final = "mine-to-port.example"
#: Certificates are older than the day, and outlive it.
_MADE_NS: Final = MIDNIGHT_NS - 200 * 24 * 60 * MINUTE_NS
_VALID_DAYS: Final = 730


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    """A time of the day in Santiago, in seconds since its midnight."""
    return hour * 3600 + minute * 60 + second


class ValueChain(Site):
    """The stations on one network, and a day's conversations. Times of day are seconds since midnight, as `at`."""

    def __init__(self, seed: int, impairments: Sequence[Impairment] = ()) -> None:
        super().__init__(PLAN, seed, DAY_MINUTES, impairments, start_ns=MIDNIGHT_NS)
        self.telemetry = Telemetry(self)

    def moment(self, second: int) -> int:
        """That second of the day, in ns since the epoch."""
        return self.start_ns + second * SECOND

    def calm_day(self) -> None:
        """Everything that the site's policy allows, from midnight to midnight."""
        self._control_room()
        self._servers()
        self.telemetry.calm_day()
        self._housekeeping()
        for hour in (8, 20):
            self._shift_change(at(hour))
        for start_s in (at(2, 10), at(10, 20), at(14, 5), at(22, 30)):
            self.session("ews1", "mill1", start_s, MILL_SETPOINTS, pause_s=8)
        self._vendor_visit(at(9, 30), at(11, 10))

    def tunnel(self, station: str, gateway: str, from_s: int, to_s: int) -> None:
        """A VPN in TLS 1.3, kept busy by what goes through it."""
        chance = self._chance("tunnel", station, from_s)
        lines = tls.handshake_13(
            chance, at_ns=self.moment(from_s), name=f"{gateway}.{_DOMAIN}", alpn=("http/1.1",)
        )
        for at_s in range(from_s + 2, to_s, 15):
            lines.append(client(tls.sealed(chance, 120), self.moment(at_s)))
            lines.append(server(tls.sealed(chance, chance.randrange(200, 600))))
        self.talk(station, gateway, tls.PORT, lines, end_ns=self.moment(to_s))

    def desktop(self, station: str, computer: str, user: str, from_s: int, to_s: int) -> None:
        """A Remote Desktop session, with somebody at work in it until its end."""
        chance = self._chance("desktop", station, from_s)
        work = Work(self.moment(from_s + 10), self.moment(to_s - 5), 15 * SECOND)
        lines = rdp.session(chance, self.moment(from_s), _identity(computer), user, (work,))
        self.talk(station, computer, rdp.PORT, lines, end_ns=self.moment(to_s))

    def run(self) -> None:
        """Let it all happen."""
        self.telemetry.talk()
        super().run()

    def _control_room(self) -> None:
        """Each domain's operator station asks its controllers, the SCADA server asks the rest."""
        for order, (station, controller, request, period_ms) in enumerate(
            (
                ("hmi-mine", "crusher1", READ_STATUS, _HALF_MINUTE_MS),
                ("hmi-plant", "mill1", READ_STATUS, _HALF_MINUTE_MS),
                ("hmi-plant", "flotation1", READ_VALUES, _MINUTE_MS),
                ("hmi-port", "loader1", READ_STATUS, _HALF_MINUTE_MS),
                ("scada1", "belt1", READ_VALUES, _MINUTE_MS),
                ("scada1", "relay1", READ_STATUS, _MINUTE_MS),
                ("scada1", "meter1", READ_VALUES, _MINUTE_MS),
            )
        ):
            offset_ms = 350 + 2_710 * order
            self.poll(station, controller, (request,), period_ms, offset_ms=offset_ms, connection_s=600)
        self._read_thickener("scada1", 12, 120)

    def _servers(self) -> None:
        """The historian reads trends, the MES reads the thickener, reports go up through the DMZ."""
        for order, controller in enumerate(("crusher1", "mill1", "loader1")):
            offset_ms = 21_440 + 3_130 * order
            self.poll(
                "hist1", controller, (READ_TREND,), 2 * _MINUTE_MS, offset_ms=offset_ms, connection_s=1_200
            )
        self._read_thickener("mes1", 41, 300)
        for hour in range(24):
            self._fetch("hist1", "mirror1", at(hour, 4, 20), 3)
            if 6 <= hour < 22:
                self._fetch("erp1", "mirror1", at(hour, 4, 50), 4)

    def _housekeeping(self) -> None:
        """Time, names and hardware addresses."""
        for order, name in enumerate(("scada1", "hmi-mine", "hmi-plant", "hmi-port", "ews1")):
            self.every(600, 15 + 31 * order, partial(self.ask_time, name))
        for order, name in enumerate(("vibration1", "crane1", "jump1", "mirror1")):
            self.every(900, 22 + 47 * order, partial(self.ask_time, name))
        for order, (name, wanted) in enumerate(
            (
                ("vibration1", "mq1"),
                ("crane1", "mq1"),
                ("scada1", "mq1"),
                ("scada1", "thickener1"),
                ("scada1", "relay1"),
                ("hmi-mine", "crusher1"),
                ("hmi-plant", "mill1"),
                ("hmi-port", "loader1"),
            )
        ):
            self.every(1_800, 70 + 13 * order, partial(self._ask_name_of, name, wanted, 2_000 * order))
        visitors = {"port-lap7", "acme-ws1"}
        for order, host in enumerate(self.hosts.values()):
            if host.name not in visitors:
                self.every(1_200, 1 + 7 * order, partial(self.ask_hardware_address, host))

    def _shift_change(self, start_s: int) -> None:
        """Who comes looks at everything once; the MES and the office fetch the shift's report."""
        pages = tuple(Request(READ_HOLDING, 20 * page, 20) for page in range(6))
        for order, (station, controller) in enumerate(
            (("hmi-mine", "crusher1"), ("hmi-plant", "mill1"), ("hmi-port", "loader1"))
        ):
            self.session(station, controller, start_s + 95 + 140 * order, pages, pause_s=12)
        self._fetch("mes1", "mirror1", start_s + 300, 6)
        self._fetch("erp1", "mirror1", start_s + 620, 8)

    def _vendor_visit(self, from_s: int, to_s: int) -> None:
        """The crusher's vendor: tunnel, gateway to jump host, jump host to engineering station; then the change."""
        self.tunnel("acme-ws1", "vpn1", from_s, to_s)
        self.desktop("vpn1", "jump1", "acme", from_s + 40, to_s - 30)
        self.desktop("jump1", "ews1", "acme", from_s + 95, to_s - 60)
        for later_s in (at(0, 35), at(1, 10)):
            self.session("ews1", "crusher1", from_s + later_s, CRUSHER_PARAMETERS, pause_s=20)

    def _read_thickener(self, station: str, from_s: int, period_s: int) -> None:
        """One signed OPC UA channel for the whole day, renewed each hour, and reads on it."""
        chance = self._chance("opcua", station, from_s)
        asked = opcua.Server(
            opcua.Application("urn:thickener1", "Thickener", identity=_identity("thickener1")),
            f"opc.tcp://{self.hosts['thickener1'].ip}:{opcua.PORT}/",
            opcua.Node("ns=2;s=Thickener", "Thickener"),
        )
        asks = opcua.Application(f"urn:{station}", station, identity=_identity(station))
        security = opcua.Security(_identity(station), _identity("thickener1"), encrypt=False)
        talk = opcua.Conversation(chance, asks, asked, security=security)
        talk.connect(self.moment(from_s))
        talk.log_in(self.moment(from_s + 1), opcua.UserName(station, chance.randbytes(9).hex()))
        renewed_s = from_s
        for number, at_s in enumerate(range(from_s + 5, at(24) - 30, period_s)):
            if at_s - renewed_s >= at(0, 45):
                talk.renew(self.moment(at_s - 2))
                renewed_s = at_s
            values = {
                "ns=2;s=Thickener.Level": 61.5 + number % 17 / 10,
                "ns=2;s=Thickener.Torque": 34.0 + number % 11 / 4,
                "ns=2;s=Thickener.Running": True,
            }
            talk.ask(opcua.services.read(values), self.moment(at_s))
        self.talk(station, "thickener1", opcua.PORT, talk.lines)

    def _fetch(self, station: str, holder: str, start_s: int, pages: int) -> None:
        """A report's pages over HTTPS."""
        chance = self._chance("report", station, start_s)
        lines: list[Line] = tls.handshake_13(chance, at_ns=self.moment(start_s), name=f"{holder}.{_DOMAIN}")
        for page in range(pages):
            lines.append(client(tls.sealed(chance, 180), self.moment(start_s + 2 * page)))
            lines.append(server(tls.sealed(chance, 2_400), wait_ns=6_000_000))
        self.talk(station, holder, tls.PORT, lines)

    def _ask_name_of(self, name: str, wanted: str, first: int, number: int) -> None:
        self.ask_name(name, f"{wanted}.{_DOMAIN}", wanted, first + number)

    def _chance(self, *what: str | int) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, *what))))


def _identity(station: str) -> Identity:
    return identity(
        station,
        made_ns=_MADE_NS,
        days=_VALID_DAYS,
        organization=NAME,
        uri=f"urn:{station}",
        ip=PLAN.address(station),
    )
