"""An address that changes its owner back and forth, and one that two controllers share as they should."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from pcaps import ExpectedFinding
from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.failover import advertise, gratuitous_arp, virtual_mac
from pcaps.lab.synth.frames import arp_reply

_NAME: Final = "arp-flip"
_TWIN: Final = "arp-flip-benign"
_MINUTES: Final = 3
_JOINS: Final = (40, 42)
_POISONED: Final = range(60, 120, 4)
#: The pumps' shared address and its group.
_SHARED, _GROUP = "10.220.0.15", 15
_FAILS_S: Final = 90
#: Three advertisements missed, and the skew of a backup of priority 100 (RFC 5798, 6.1).
_TAKES_OVER_S: Final = _FAILS_S + 3.61


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=155)
    site.calm()
    network, laptop, victim = site.network, site.hosts["laptop"], site.hosts["pump1"]
    # It joins like any other device, with an address of its own.
    for second in _JOINS:
        site.clock.at(site.at(second), partial(gratuitous_arp, network, laptop, laptop.mac, laptop.ip))
    router_ip = f"{victim.ip.rsplit('.', 1)[0]}.1"
    for second in _POISONED:
        site.clock.at(site.at(second), partial(gratuitous_arp, network, laptop, laptop.mac, victim.ip))
        # The owner still answers for itself when the router asks again.
        answer = arp_reply(victim.mac, victim.ip, victim.router_mac, router_ip)
        site.clock.at(site.at(second + 2), partial(network.broadcast, victim, answer))
    captured = ran(site)
    tap = Tap(site, captured)
    flips = 2 * len(_POISONED)
    minute = (_POISONED.start, _POISONED.stop)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "An address with two owners",
            f"""
A laptop joins the pump hall's network and announces its address. For a minute it says every four seconds, unasked,
that the main pump's address is its own; two seconds later the controller, asked by the router, says that it is the
controller's. The address changes its MAC {flips} times. What the control room sends in between goes where the
router last believed it to be.
""",
            truth={"anomalies": ("network ip_conflict",)},
            planted=(
                # The laptop never says an address of its own: the network does not show who it is.
                replace(
                    tap.sent(
                        "G2",
                        "laptop",
                        victim.ip,
                        flips,
                        "changes of the address's MAC, back and forth",
                        seconds=minute,
                    ),
                    src_ip="",
                ),
                tap.sent(
                    "SEG-10", "laptop", victim.ip, flips, "two devices claim one address", seconds=minute
                ),
                tap.appeared("laptop"),
            ),
            expected=(
                undeclared(site, "laptop"),
                expect(
                    site,
                    "G2",
                    "",
                    "pump1",
                    conduit="",
                    service="arp",
                    port=0,
                    severity=5,
                    exactly=flips,
                    because="high, one more for a C1 target",
                ),
                ExpectedFinding(
                    kind="SEG-10",
                    src_ip=laptop.ip,
                    dst_ip=victim.ip,
                    dst_port=0,
                    conduit="",
                    service="",
                    severity=4,
                    count=flips,
                    count_is="at least",
                    because="medium, one more for a C1 target",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=160)
    site.calm()
    network, first, second = site.network, site.hosts["pump1"], site.hosts["pump2"]
    mac = virtual_mac(_GROUP)
    for at in range(2, _FAILS_S):
        site.clock.at(site.at(at), partial(advertise, network, first, _GROUP, 200, _SHARED))
    site.clock.at(site.at(_TAKES_OVER_S), partial(gratuitous_arp, network, second, mac, _SHARED))
    for at_ns in range(site.at(_TAKES_OVER_S) + SECOND, site.end_ns - SECOND, SECOND):
        site.clock.at(at_ns, partial(advertise, network, second, _GROUP, 100, _SHARED))
    panel = site.hosts["panel1"]
    for at in (40, 42, 130, 132):
        site.clock.at(site.at(at), partial(gratuitous_arp, network, panel, panel.mac, panel.ip))
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "An address that moves as it should",
            """
The two pump controllers share an address by VRRP. After a minute and a half the first falls silent as master, three
advertisements later the second takes over and says, unasked, that the address is at the group's virtual MAC: as it
was before. The panel of the pump hall restarts twice and announces its own address, each time with its own MAC. No
address changes its owner.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_213, _make, site=NAME),
    Scenario(_TWIN, 20_261_214, _make_twin, site=NAME),
)
