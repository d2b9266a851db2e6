"""Connections begun without end, and the few hundred of a client that finds its server restarting."""

from __future__ import annotations

from typing import Final

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.clock import MILLISECOND
from pcaps.lab.synth.modbus import PORT
from pcaps.lab.synth.probes import Knock, Port

_NAME: Final = "connection-flood"
_TWIN: Final = "connection-flood-benign"
_MINUTES: Final = 3
_SYNS: Final = 3_600
_RETRIES: Final = 120
_FIRST_PORT: Final = 20_000


def _knocks(site: PumpB, client: str, server: str, count: int, period_ms: float, found: Port) -> None:
    for number in range(count):
        knock = Knock(site.network, site.hosts[client], _FIRST_PORT + number, site.hosts[server], PORT, found)
        site.clock.at(site.at(60) + round(number * period_ms * MILLISECOND), knock.send)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=404)
    site.calm()
    _knocks(site, "visitor", "valve1", _SYNS, 15, Port.SILENT)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A flood of connections",
            """
A laptop in the control room, unknown to the policy, begins 3,600 connections to the Modbus port of the valve's
controller in 54 seconds. The controller answers none of them.
""",
            planted=(
                tap.saw("G3", "visitor", "valve1", _SYNS, "SYNs in 54 seconds", service=""),
                tap.saw("SEG-04", "visitor", "valve1", 1, "the conduit knows no such client", service=""),
                tap.appeared("visitor"),
            ),
            expected=(
                undeclared(site, "visitor"),
                expect(
                    site,
                    "SEG-04",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    because="medium: no session came of it",
                ),
                expect(
                    site,
                    "G3",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    service="",
                    severity=4,
                    exactly=_SYNS,
                    because="high: it keeps others out",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=409)
    site.calm()
    _knocks(site, "hmi2", "valve1", _RETRIES, 500, Port.CLOSED)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A client that tries again",
            """
The valve's controller restarts, and for a minute its Modbus port is closed. The operator station, which may ask it,
tries again twice a second and is refused each time.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_235, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_236, _make_twin, site=NAME, packed=True),
)
