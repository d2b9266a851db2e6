"""An engineering station with a second card in the pump hall, past the firewall; and one with two addresses at home."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps import ExpectedFinding, Planted
from pcaps.lab.notes import moment
from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.failover import gratuitous_arp
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "two-cards"
_TWIN: Final = "two-cards-benign"
_MINUTES: Final = 3
_ANNOUNCED_S: Final = 50
_HALL, _HOME = "10.220.0.40", "10.225.0.41"


def _site(seed: int, start_minute: int, address: str, *, past_the_firewall: bool) -> PumpB:
    """The station announces itself and its second address, and reads the valve controller."""
    site = PumpB(seed, _MINUTES, start_minute=start_minute)
    site.calm()
    usual = site.hosts
    station, valve = usual["ews2"], usual["valve1"]
    site.clock.at(site.at(_ANNOUNCED_S), partial(gratuitous_arp, site.network, station, station.mac, address))
    script = Script(site.at(70))
    for _ in range(4):
        script.ask(
            ReadHoldingRegistersRequest(address=0, count=10),
            ReadHoldingRegistersResponse(registers=[100 + number for number in range(10)]),
            then_ms=3_000,
        )
    if past_the_firewall:
        # The two see each other: neither's frames go to the router.
        site.hosts = {
            **usual,
            "ews2": replace(station, router_mac=valve.mac),
            "valve1": replace(valve, router_mac=station.mac),
        }
    site.say("ews2", "valve1", script)
    site.hosts = usual
    return site


def _make(seed: int) -> Made:
    site = _site(seed, 445, _HALL, past_the_firewall=True)
    captured = ran(site)
    station = site.hosts["ews2"]
    announced = moment(
        next(
            one.ts_ns
            for one in captured
            if one.receiver is None and one.sender is station and one.ts_ns >= site.at(_ANNOUNCED_S)
        )
    )
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A station in two networks",
            """
The engineering station of the control room has got a second card, in the pump hall's network. It announces the
address that it has there, and reads the valve controller ten registers at a time: allowed, but its frames go from
card to controller and back, and the firewall sees none of them.
""",
            planted=(
                Planted(
                    "SEG-07", station.ip, _HALL, "", announced, announced, 1, "one MAC address in two zones"
                ),
                Tap(site, captured).saw(
                    "SEG-08",
                    "ews2",
                    "valve1",
                    1,
                    "one session that the firewall did not carry",
                    seconds=(65, 100),
                ),
            ),
            expected=(
                ExpectedFinding(
                    kind="SEG-07",
                    src_ip=station.ip,
                    dst_ip=_HALL,
                    dst_port=0,
                    conduit="",
                    service="",
                    severity=3,
                    count=1,
                    count_is="exactly",
                    because="medium",
                ),
                expect(
                    site,
                    "SEG-08",
                    "ews2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=5,
                    because="high, one more for an established session",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = _site(seed, 450, _HOME, past_the_firewall=False)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A station with two addresses",
            """
The engineering station of the control room has two addresses, both of the control room, and announces the second
one. It reads the valve controller as its rule lets it, by way of the firewall.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_251, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_252, _make_twin, site=NAME, packed=True),
)
