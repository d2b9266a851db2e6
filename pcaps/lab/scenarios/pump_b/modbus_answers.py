"""Answers that nobody asked for, and two different ones to one question; and answers that only come in odd order."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script, adu
from pcaps.lab.synth.tally import Said

_NAME: Final = "modbus-answers"
_TWIN: Final = "modbus-answers-benign"
_MINUTES: Final = 4
_READ_HOLDING: Final = 3
_POLLS: Final = 100
_UNASKED: Final = (30, 50, 70)
_TWICE: Final = (40, 60)
_REQUEST: Final = ReadHoldingRegistersRequest(address=0, count=2)
#: Far from what the script itself counts to.
_NO_ID: Final = 40_000


def _answer(value: int) -> ReadHoldingRegistersResponse:
    return ReadHoldingRegistersResponse(registers=[value, 87])


def _polled(script: Script, number: int) -> tuple[bytes, bytes, Said]:
    """A poll as bytes, its answer, and that it was answered."""
    asked, answered = adu(_REQUEST, number), adu(_answer(400 + number % 9), number)
    return asked, answered, Said(script.now_ns, _READ_HOLDING, answered=True)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=390)
    site.calm()
    script = Script(site.at(4))
    unasked = Said(0, _READ_HOLDING, answered=True, asked=False)
    for number in range(_POLLS):
        asked, answered, said = _polled(script, number)
        if number in _UNASKED:
            forged = adu(_answer(5), _NO_ID + number)
            script.utter(asked, answered + forged, said=(said, unasked), then_ms=2_000)
        elif number in _TWICE:
            script.utter(asked, answered + adu(_answer(5), number), said=(said, unasked), then_ms=2_000)
        else:
            script.utter(asked, answered, said=(said,), then_ms=2_000)
    site.say("hmi2", "valve1", script)
    captured = ran(site)
    tap = Tap(site, captured)
    seconds = (4 + 2 * _UNASKED[0], 4 + 2 * _UNASKED[-1] + 1)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Answers that nobody asked for",
            """
The operator station reads the valve's controller every two seconds. Three times an answer comes with an identifier
that no request had, and twice a second answer to the same request, with another value than the first: somebody
between the two puts words into the controller's mouth.
""",
            truth={
                "modbus_orphans": len(_UNASKED) + len(_TWICE),
                "anomalies": ("modbus duplicate_response", "modbus orphan_response"),
            },
            planted=(
                tap.saw("M13", "hmi2", "valve1", len(_UNASKED), "answers without a request", seconds=seconds),
                tap.saw(
                    "M13",
                    "hmi2",
                    "valve1",
                    len(_TWICE),
                    "two different answers to one request",
                    seconds=seconds,
                ),
            ),
            expected=(
                expect(
                    site,
                    "M13",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=4,
                    exactly=len(_UNASKED) + len(_TWICE),
                    because="high: somebody else may be speaking",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=397)
    site.calm()
    script = Script(site.at(4))
    for number in range(0, _POLLS, 2):
        (first, first_answer, said), (second, second_answer, also) = (
            _polled(script, number),
            _polled(script, number + 1),
        )
        script.utter(first + second, second_answer + first_answer, said=(said, also), then_ms=4_000)
    site.say("hmi2", "valve1", script)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "Answers in another order",
            """
The operator station asks the valve's controller two things at once, and the controller answers the second first, as
it may: each answer says by its identifier which request it is for (Messaging on TCP/IP V1.0b, 4.4.1.2).
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_233, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_234, _make_twin, site=NAME, packed=True),
)
