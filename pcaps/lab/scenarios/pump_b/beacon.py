"""A panel that reports to somebody outside, again and again; and one that only asks for the time as often."""

from __future__ import annotations

import random
from functools import partial
from typing import Final

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.background import HTTPS_PORT, tls_visit

_NAME: Final = "beacon"
_TWIN: Final = "beacon-benign"
_MINUTES: Final = 12
_PERIOD_S: Final = 30
_FIRST_S: Final = 13


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=414)
    site.calm()
    contacts = range(_FIRST_S, 60 * _MINUTES - 20, _PERIOD_S)
    chance = random.Random(f"{seed}/beacon")
    for second in contacts:
        # A little earlier or later each time, as programs wait that do not want to be found.
        at_ns = site.at(second + chance.randrange(-1_500, 1_500) / 1_000)
        visit = tls_visit("updates.example", at_ns, 1, 120, random.Random(f"{seed}/tls/{second}"))
        site.visit("panel1", "stranger", HTTPS_PORT, visit)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A panel that reports outside",
            """
The panel of the pump hall opens a TLS connection to an address on the internet every half minute, give or take a
second, says a few hundred bytes and is told a few. The pump hall may not reach the internet at all.
""",
            planted=(
                tap.saw(
                    "G5", "panel1", "stranger", len(contacts), "connections, 30 s apart", service="https"
                ),
                tap.saw(
                    "SEG-01", "panel1", "stranger", len(contacts), "no conduit leads outside", service="https"
                ),
                tap.saw("SEG-06", "panel1", "stranger", len(contacts), "a public address", service="https"),
            ),
            expected=(
                expect(
                    site,
                    "SEG-06",
                    "panel1",
                    "stranger",
                    conduit="",
                    service="https",
                    port=HTTPS_PORT,
                    severity=5,
                    because="high, one more for an established session",
                ),
                expect(
                    site,
                    "SEG-01",
                    "panel1",
                    "stranger",
                    conduit="",
                    service="https",
                    port=HTTPS_PORT,
                    severity=4,
                    because="medium, one more for an established session",
                ),
                expect(
                    site,
                    "G5",
                    "panel1",
                    "stranger",
                    conduit="",
                    service="https",
                    port=HTTPS_PORT,
                    severity=4,
                    exactly=len(contacts),
                    because="medium, one more for an established session",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=430)
    site.calm()
    site.every(_PERIOD_S, _FIRST_S, partial(site.ask_time, "panel1"))
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A panel that asks for the time",
            """
The panel of the pump hall asks the control room's server for the time every half minute, to the moment: periodic and
small too, but inside, allowed, and to whom everybody asks.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_237, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_238, _make_twin, site=NAME, packed=True),
)
