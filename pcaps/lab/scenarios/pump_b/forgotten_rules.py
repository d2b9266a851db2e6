"""Rules that nobody looks after: expired and in use, expected and not there, in clear; and a day that keeps to them."""

from __future__ import annotations

from functools import partial
from typing import Final

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps import ExpectedFinding, Planted
from pcaps.lab.notes import moment
from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.background import http_visit
from pcaps.lab.synth.modbus_script import Script
from pcaps.lab.synth.probes import ping

_NAME: Final = "forgotten-rules"
_TWIN: Final = "kept-rules"
_HOUR: Final = 3_600
#: More than a day: one rule says that it is used every day.
_MINUTES: Final = 26 * 60
_HTTP_PORT, _DNS_PORT = 80, 53
_READ_S, _PAGE_S, _NAME_S = 2 * _HOUR, 3 * _HOUR, 5 * _HOUR
_ASKED: Final = "www.facebook.com"


def _site(seed: int, start_minute: int, reader: str) -> PumpB:
    """The intake panel asks for the time all day; somebody reads the intake controller."""
    site = PumpB(seed, _MINUTES, start_minute=start_minute)
    site.operate(0, 240)
    site.every(55, 20, partial(site.ask_time, "panel3"))
    script = Script(site.at(_READ_S))
    for _ in range(3):
        script.ask(
            ReadHoldingRegistersRequest(address=0, count=4),
            ReadHoldingRegistersResponse(registers=[4, 3, 2, 1]),
            then_ms=2_000,
        )
    site.say(reader, "intake1", script)
    return site


def _make(seed: int) -> Made:
    site = _site(seed, 460, "ews2")
    site.visit("ews2", "panel3", _HTTP_PORT, http_visit("10.221.0.61", ("/", "/level"), site.at(_PAGE_S)))
    site.clock.at(site.at(_NAME_S), partial(site.ask_name, "panel3", _ASKED, "stranger", 7))
    captured = ran(site)
    tap = Tap(site, captured)
    first, last = moment(captured[0].ts_ns), moment(captured[-1].ts_ns)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Rules that nobody looks after",
            """
A day and two hours at the intake. The engineering station reads its controller by a rule for the commissioning that
ended in June, and looks at the panel's page over HTTP, across a conduit that wants nothing in clear. The monitoring,
whose rule says that it pings the controller every day, does not. At night somebody at the panel asks for the
address of a social network.
""",
            planted=(
                Planted(
                    "SEG-11", "", "", "icmp", first, last, 1, "a rule for every day, not used in 26 hours"
                ),
                tap.saw("SEG-12", "ews2", "intake1", 1, "one session by a rule that expired in June"),
                tap.saw("SEG-13", "ews2", "panel3", 1, "one session of HTTP", service="http"),
                tap.saw(
                    "SEG-14",
                    "panel3",
                    "net-a",
                    1,
                    f"one question for {_ASKED}",
                    service="dns",
                    seconds=(_NAME_S - 1, _NAME_S + 2),
                ),
            ),
            expected=(
                ExpectedFinding(
                    kind="SEG-11",
                    src_ip="",
                    dst_ip="",
                    dst_port=0,
                    conduit="c-room-intake",
                    service="icmp",
                    severity=1,
                    count=1,
                    count_is="exactly",
                    because="info",
                ),
                expect(
                    site,
                    "SEG-12",
                    "ews2",
                    "intake1",
                    conduit="c-room-intake",
                    severity=3,
                    because="low, one more for an established session",
                ),
                expect(
                    site,
                    "SEG-13",
                    "ews2",
                    "panel3",
                    conduit="c-room-intake",
                    service="http",
                    port=_HTTP_PORT,
                    severity=4,
                    because="medium, one more for an established session",
                ),
                expect(
                    site,
                    "SEG-14",
                    "panel3",
                    "net-a",
                    conduit="c-intake-room",
                    service="dns",
                    port=_DNS_PORT,
                    severity=2,
                    exactly=1,
                    because="low",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = _site(seed, 470, "hmi2")
    watcher, watched = site.hosts["nms2"], site.hosts["intake1"]
    for number in range(1, 5):
        site.clock.at(
            site.at(number * 6 * _HOUR), partial(ping, site.network, watcher, watched, number, answered=True)
        )
    site.clock.at(site.at(_NAME_S), partial(site.ask_name, "panel3", "levels.example", "net-a", 7))
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "Rules as they are kept",
            """
A day and two hours at the intake. The operator station reads the controller by a rule that holds, the monitoring
pings it every six hours, the panel asks for the time and for a name of the site.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_253, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_254, _make_twin, site=NAME, packed=True),
)
