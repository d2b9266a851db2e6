"""A controller that answers and does not, again and again; and one that misses a reading now and then."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "poll-flapping"
_TWIN: Final = "poll-flapping-benign"
_MINUTES: Final = 4
_FROM_S, _POLL_S, _POLLS = 3, 2, 110
#: Numbers of the readings that are not answered: four times one or two of them, within fourteen.
_LOST: Final = (40, 41, 45, 49, 50, 53)
#: Two, one at a time, far from each other.
_LOST_NOW_AND_THEN: Final = (30, 70)


def _read(site: PumpB, lost: Container[int]) -> None:
    """The operator station reads the valve's controller."""
    script = Script(site.at(_FROM_S))
    for number in range(_POLLS):
        answer = None if number in lost else ReadHoldingRegistersResponse(registers=[412 + number % 5, 87])
        script.ask(ReadHoldingRegistersRequest(address=0, count=2), answer, then_ms=_POLL_S * 1_000)
    site.say("hmi2", "valve1", script)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=420)
    site.calm()
    _read(site, _LOST)
    captured = ran(site)
    tap = Tap(site, captured)
    seconds = (_FROM_S + _POLL_S * _LOST[0], _FROM_S + _POLL_S * (_LOST[-1] + 1))
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A controller that comes and goes",
            """
The operator station reads the valve's controller every two seconds. In the midst of it the controller leaves six
readings unanswered, never three in a row: two, one, two, one, with a few answers between. A contact is loose. Its TCP
acknowledges all the time.
""",
            truth={"modbus_unanswered": len(_LOST)},
            planted=(
                tap.saw(
                    "SLA-02",
                    "hmi2",
                    "valve1",
                    len(_LOST),
                    "readings in four runs unanswered",
                    seconds=seconds,
                ),
                tap.saw("M14", "hmi2", "valve1", len(_LOST), "readings unanswered", seconds=seconds),
            ),
            expected=(
                expect(
                    site,
                    "SLA-02",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=2,
                    exactly=len(_LOST),
                    because="one less than an outage of a device of class C2",
                ),
                expect(
                    site,
                    "M14",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=len(_LOST),
                    because="medium: the network alone cannot tell why",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=425)
    site.calm()
    _read(site, _LOST_NOW_AND_THEN)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A reading lost now and then",
            """
The same readings; two of them are not answered, eighty seconds apart. That is bad for the availability, and nothing
that comes and goes.
""",
            truth={"modbus_unanswered": len(_LOST_NOW_AND_THEN)},
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_229, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_230, _make_twin, site=NAME, packed=True),
)
