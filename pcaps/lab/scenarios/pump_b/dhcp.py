"""Addresses given: to a device that nobody knows, and by a server that nobody knows; each with its benign twin."""

from __future__ import annotations

from functools import partial
from typing import Final

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.dhcp import DhcpClient, Lease
from pcaps.lab.synth.failover import gratuitous_arp
from pcaps.lab.synth.network import Host
from pcaps.lab.synth.probes import nobody

_NEW: Final = "new-device"
_REBOOT: Final = "new-device-benign"
_ROGUE: Final = "second-dhcp-server"
_PAIR: Final = "second-dhcp-server-benign"
_MINUTES: Final = 3
_PANEL: Final = ("hall-panel", "Example HMI 7")
_LAPTOP: Final = ("toms-laptop", "MSFT 5.0")


class _Hall:
    """The pump hall's relay and the two servers behind it."""

    def __init__(self, site: PumpB) -> None:
        self.site = site
        self.first, self.second = site.hosts["net-a"], site.hosts["net-b"]
        self.relay = nobody(site.hosts["pump1"], "10.220.0.1")

    def client(self, host: Host, name: tuple[str, str], transaction: int) -> DhcpClient:
        return DhcpClient(self.site.network, host, *name, transaction)

    def lease(self, ip: str) -> Lease:
        return Lease(ip, self.relay.ip, self.first.ip)

    def at(self, second: float, what: partial[None]) -> None:
        self.site.clock.at(self.site.at(second), what)

    def take(self, client: DhcpClient, at_s: float, ip: str, servers: tuple[Host, ...]) -> None:
        """A client finds an address: all of `servers` offer it, it takes the first one's word, that confirms."""
        chosen, lease = servers[0], self.lease(ip)
        self.at(at_s, partial(client.discover))
        for number, server in enumerate(servers):
            offered = partial(client.answered_by_relay, server, self.relay, "offer", lease)
            self.at(at_s + 0.004 + 0.003 * number, offered)
        self.at(at_s + 0.050, partial(client.request, ip, chosen.ip))
        self.at(at_s + 0.055, partial(client.answered_by_relay, chosen, self.relay, "ack", lease))
        self.announce(client.host, at_s + 0.2, ip)

    def announce(self, host: Host, at_s: float, ip: str) -> None:
        """The address is mine now, twice (RFC 5227, 2.3)."""
        for second in (at_s, at_s + 2):
            self.at(second, partial(gratuitous_arp, self.site.network, host, host.mac, ip))


def _make_new(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=165)
    site.calm()
    hall, laptop = _Hall(site), site.hosts["laptop"]
    hall.take(hall.client(laptop, _LAPTOP, 0x5107), 70, laptop.ip, (hall.first, hall.second))
    hall.announce(laptop, 110, laptop.ip)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _NEW,
            seed,
            "A device that nobody knows",
            """
Somebody plugs a laptop into the pump hall's switch. It asks for an address, gets one from the two servers of the
control room, by way of the router, and announces it. It talks to no controller: that it is there is all there is to
see.
""",
            planted=(
                Tap(site, captured).sent(
                    "SEG-09",
                    "laptop",
                    "",
                    1,
                    "a MAC address and a name that the policy does not know",
                    seconds=(70, 120),
                ),
            ),
            expected=(undeclared(site, "laptop"),),
            twin=_REBOOT,
        ),
    )


def _make_reboot(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=170)
    site.calm()
    hall, panel = _Hall(site), site.hosts["panel1"]
    client = hall.client(panel, _PANEL, 0x5108)
    hall.at(70, partial(client.reboot, panel.ip))
    hall.at(70.006, partial(client.answered_by_relay, hall.first, hall.relay, "ack", hall.lease(panel.ip)))
    hall.announce(panel, 70.2, panel.ip)
    hall.take(hall.client(panel, _PANEL, 0x5109), 110, panel.ip, (hall.second, hall.first))
    return told(
        site,
        ran(site),
        Story(
            _REBOOT,
            seed,
            "A known device restarts",
            """
The panel of the pump hall, which the policy knows, restarts twice: the first time it asks for the address that it
had, the second time it has forgotten it and asks for any. It gets the same one, from the same servers, by way of the
router, and announces it.
""",
            twin_of=_NEW,
        ),
    )


def _make_rogue(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=175)
    site.calm()
    hall, panel, laptop = _Hall(site), site.hosts["panel1"], site.hosts["laptop"]
    client = hall.client(panel, _PANEL, 0x5110)
    wrong = Lease("10.220.0.161", laptop.ip, laptop.ip)
    hall.at(70, partial(client.discover))
    hall.at(70.001, partial(client.answered_here, laptop, "offer", wrong))
    for number, server in enumerate((hall.first, hall.second)):
        offered = partial(client.answered_by_relay, server, hall.relay, "offer", hall.lease(panel.ip))
        hall.at(70.004 + 0.003 * number, offered)
    hall.at(70.050, partial(client.request, wrong.ip, laptop.ip))
    hall.at(70.052, partial(client.answered_here, laptop, "ack", wrong))
    hall.announce(panel, 70.2, wrong.ip)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _ROGUE,
            seed,
            "A second server gives addresses",
            """
The panel of the pump hall restarts and asks for an address. Before the two servers of the control room can offer one
by way of the router, a laptop in the pump hall does: with itself as the router and as the server of names. The panel
takes it, and from now on sends everything that leaves the hall to the laptop.
""",
            planted=(
                tap.sent(
                    "G6",
                    "laptop",
                    "",
                    2,
                    "an offer and an acknowledgement of a server that is none",
                    seconds=(70, 71),
                    service="dhcp",
                ),
                tap.sent("SEG-09", "laptop", "", 1, "nobody declared the laptop", seconds=(70, 71)),
            ),
            expected=(
                undeclared(site, "laptop"),
                expect(
                    site,
                    "G6",
                    "laptop",
                    "",
                    conduit="",
                    service="dhcp",
                    port=67,
                    severity=4,
                    because="high: it decides where the panel sends everything",
                ),
            ),
            twin=_PAIR,
        ),
    )


def _make_pair(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=180)
    site.calm()
    hall, panel = _Hall(site), site.hosts["panel1"]
    hall.take(hall.client(panel, _PANEL, 0x5111), 70, panel.ip, (hall.first, hall.second))
    # The first server is down for a while: its partner confirms what it never gave.
    client = hall.client(panel, _PANEL, 0x5112)
    hall.at(110, partial(client.reboot, panel.ip))
    hall.at(110.006, partial(client.answered_by_relay, hall.second, hall.relay, "ack", hall.lease(panel.ip)))
    return told(
        site,
        ran(site),
        Story(
            _PAIR,
            seed,
            "Two servers that share their addresses",
            """
The panel of the pump hall restarts and asks for an address. Both servers of the control room offer the same one by way
of the router: they are a pair that the policy declares. The panel takes the first one's word. When it restarts again,
the first is silent and the second confirms the address in its place.
""",
            twin_of=_ROGUE,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NEW, 20_261_215, _make_new, site=NAME),
    Scenario(_REBOOT, 20_261_216, _make_reboot, site=NAME),
    Scenario(_ROGUE, 20_261_217, _make_rogue, site=NAME),
    Scenario(_PAIR, 20_261_218, _make_pair, site=NAME),
)
