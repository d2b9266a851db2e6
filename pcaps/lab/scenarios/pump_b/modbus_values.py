"""Values: written out of all bounds, toggled without end, and read as if time stood still; each beside its twin."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.bit_message import (
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.register_message import (
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script

_WRITTEN: Final = "modbus-setpoints"
_WRITTEN_TWIN: Final = "modbus-setpoints-benign"
_FROZEN: Final = "frozen-readings"
_FROZEN_TWIN: Final = "frozen-readings-benign"
_MINUTES: Final = 5
_REGISTER, _COIL, _COILS = 110, 12, 64
#: What operators set it to on a day: between 870 and 930, never more than 30 at once.
_USUAL: Final = (900, 915, 905, 890, 910, 925, 900, 880, 905, 895)
_TOGGLES: Final = 40
_READINGS: Final = 140
#: Number of the reading from which on nothing changes any more.
_STOPS_AT: Final = 60


def _set(script: Script, value: int, then_ms: int) -> None:
    request = WriteSingleRegisterRequest(address=_REGISTER, registers=[value])
    script.ask(request, WriteSingleRegisterResponse(address=_REGISTER, registers=[value]), then_ms=then_ms)


def _switch(script: Script, *, on: bool, then_ms: int) -> None:
    request = WriteSingleCoilRequest(address=_COIL, bits=[on])
    script.ask(request, WriteSingleCoilResponse(address=_COIL, bits=[on]), then_ms=then_ms)


def _usual(site: PumpB) -> None:
    usual = Script(site.at(6))
    for value in _USUAL:
        _set(usual, value, 14_000)
    site.say("ews2", "pump2", usual)


def _make_written(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=345)
    site.calm()
    _usual(site)
    unusual = Script(site.at(170))
    _set(unusual, 5_000, 3_000)
    _set(unusual, 100, 3_000)
    for number in range(_TOGGLES):
        _switch(unusual, on=number % 2 == 0, then_ms=1_250)
    unusual.ask(
        WriteMultipleCoilsRequest(address=0, bits=[True] * _COILS),
        WriteMultipleCoilsResponse(address=0, count=_COILS),
    )
    site.say("ews2", "pump2", unusual)
    captured = ran(site)
    tap = Tap(site, captured)
    confirmed = "one more because the device confirmed it"
    return told(
        site,
        captured,
        Story(
            _WRITTEN,
            seed,
            "Setpoints out of all bounds",
            """
The engineering station, which may write, sets a speed ten times between 880 and 925. Then somebody at it sets 5000 and
at once 100, switches an output on and off forty times in fifty seconds, and at last switches 64 outputs on with one
request. The policy allows each of these; the process does not.
""",
            planted=(
                tap.saw(
                    "M3", "ews2", "pump2", 2, "5000, then 100, where 880 to 925 is usual", seconds=(169, 176)
                ),
                tap.saw("M4", "ews2", "pump2", _TOGGLES, "one output toggled", seconds=(176, 226)),
                tap.saw("M4", "ews2", "pump2", 1, "64 outputs in one request", seconds=(226, 229)),
                tap.saw("M1", "ews2", "pump2", 1, "63 of them it never wrote", seconds=(226, 229)),
            ),
            expected=(
                *(
                    expect(
                        site,
                        "M4",
                        "ews2",
                        "pump2",
                        conduit="c-room-pumps",
                        severity=5,
                        because=f"{what}; {confirmed}",
                    )
                    for what in ("high for one output toggled", "high for many written at once")
                ),
                expect(
                    site,
                    "M3",
                    "ews2",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=2,
                    because="high, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "M1",
                    "ews2",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=1,
                    because="high, one more because the device confirmed it",
                ),
            ),
            twin=_WRITTEN_TWIN,
            baseline=_WRITTEN_TWIN,
        ),
    )


def _make_written_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=352)
    site.calm()
    _usual(site)
    further = Script(site.at(170))
    _set(further, 920, 10_000)
    _switch(further, on=True, then_ms=40_000)
    _switch(further, on=False, then_ms=10_000)
    _set(further, 900, 10_000)
    site.say("ews2", "pump2", further)
    return told(
        site,
        ran(site),
        Story(
            _WRITTEN_TWIN,
            seed,
            "Setpoints as on every day",
            """
The same ten settings of the speed, then two more within the usual bounds; the output is switched on, and off again
after forty seconds.
""",
            twin_of=_WRITTEN,
        ),
    )


def _readings(site: PumpB, *, stops: bool) -> None:
    """The operator station reads four values that move, and two limits that never do."""
    script = Script(site.at(4))
    for number in range(_READINGS):
        at = min(number, _STOPS_AT) if stops else number
        moving = [400 + at * 7 % 23, 1_180 + at * 5 % 17, 87 + at * 3 % 5, 2_040 + at * 11 % 31]
        answer = ReadInputRegistersResponse(registers=[*moving, 0, 4_095])
        script.ask(ReadInputRegistersRequest(address=0, count=6), answer, then_ms=2_000)
    site.say("hmi2", "valve1", script)


def _make_frozen(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=360)
    site.calm()
    _readings(site, stops=True)
    captured = ran(site)
    frozen_s = 4 + 2 * _STOPS_AT
    return told(
        site,
        captured,
        Story(
            _FROZEN,
            seed,
            "Readings that stand still",
            """
The operator station reads four values of the valve's controller that never were the same twice in a row, and two
limits that never change. After two minutes the four values stand still, to the last digit, and stay so: a loop that
plays back one moment, or a sensor that hangs. The answers come as before.
""",
            planted=(
                Tap(site, captured).saw(
                    "M15",
                    "hmi2",
                    "valve1",
                    _READINGS - _STOPS_AT,
                    "readings with the same four values",
                    seconds=(frozen_s, 60 * _MINUTES),
                ),
            ),
            expected=(
                expect(
                    site,
                    "M15",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=2,
                    exactly=_READINGS - _STOPS_AT,
                    because="low: the network alone cannot tell why",
                ),
            ),
            twin=_FROZEN_TWIN,
        ),
    )


def _make_frozen_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=367)
    site.calm()
    _readings(site, stops=False)
    return told(
        site,
        ran(site),
        Story(
            _FROZEN_TWIN,
            seed,
            "Readings that move",
            """
The same readings, and the four values go on moving. That the two limits beside them never change is as it should be.
""",
            twin_of=_FROZEN,
        ),
    )


SCENARIOS: Final = (
    Scenario(_WRITTEN, 20_261_227, _make_written, site=NAME, packed=True),
    Scenario(_WRITTEN_TWIN, 20_261_228, _make_written_twin, site=NAME, packed=True),
    Scenario(_FROZEN, 20_261_229, _make_frozen, site=NAME, packed=True),
    Scenario(_FROZEN_TWIN, 20_261_230, _make_frozen_twin, site=NAME, packed=True),
)
