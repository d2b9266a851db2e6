"""Exceptions without end, as of a controller that fails; and the few that every plant has."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.file_message import FileRecord, ReadFileRecordRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script, refused

_NAME: Final = "modbus-exceptions"
_TWIN: Final = "modbus-exceptions-benign"
_MINUTES: Final = 4
_READ_HOLDING, _READ_FILE = 3, 20
_ILLEGAL_ADDRESS, _DEVICE_FAILURE, _DEVICE_BUSY = 2, 4, 6
_POLL_MS: Final = 1_000
_POLLS: Final = 220
#: Numbers of the polls that fail, and of those before them that find the controller busy.
_BUSY: Final = range(60, 70)
_FAILING: Final = range(70, 160)


def _polled(site: PumpB, codes: dict[int, int]) -> None:
    """The operator station reads the valve's controller; `codes`: number of the poll -> exception code."""
    script = Script(site.at(3))
    for number in range(_POLLS):
        answer: ReadHoldingRegistersResponse | bytes = ReadHoldingRegistersResponse(
            registers=[400 + number % 9, 87]
        )
        if number in codes:
            answer = refused(_READ_HOLDING, codes[number])
        script.ask(ReadHoldingRegistersRequest(address=0, count=2), answer, then_ms=_POLL_MS)
    site.say("hmi2", "valve1", script)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=50)
    site.calm()
    _polled(site, {**dict.fromkeys(_BUSY, _DEVICE_BUSY), **dict.fromkeys(_FAILING, _DEVICE_FAILURE)})
    captured = ran(site)
    tap = Tap(site, captured)
    seconds = (3 + _BUSY.start, 3 + _FAILING.stop)
    count = len(_BUSY) + len(_FAILING)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A storm of exceptions",
            """
The operator station reads the valve's controller once a second, as the policy lets it. After a minute the controller
says ten times that it is busy (exception 06), then for a minute and a half that it fails (exception 04): a hundred
exceptions in a hundred seconds. Then it is well again. Whether somebody did that to it or it broke by itself, the
network does not tell.
""",
            planted=(
                tap.saw(
                    "M10", "hmi2", "valve1", count, "ten times exception 06, ninety times 04", seconds=seconds
                ),
                tap.saw("SLA-01", "hmi2", "valve1", count, "readings in a row refused", seconds=seconds),
            ),
            expected=(
                expect(
                    site,
                    "SLA-01",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    because="medium, for the device is held to class C2",
                    exactly=count,
                ),
                expect(
                    site,
                    "M10",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=2,
                    exactly=count,
                    because="low: it may be a fault",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=130)
    site.calm()
    _polled(site, {})
    script = Script(site.at(80))
    for number in (7, 8, 9):
        record = FileRecord(file_number=number, record_number=0, record_length=8)
        script.ask(ReadFileRecordRequest([record]), refused(_READ_FILE, _ILLEGAL_ADDRESS), then_ms=20_000)
    site.say("ews2", "valve1", script)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A few exceptions",
            """
The same readings, all answered. The engineering station, which may, asks the valve's controller for three file
records that it does not have, twenty seconds apart, and gets exception 02 three times: a wrong guess of somebody at
work, as it happens every day.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_207, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_208, _make_twin, site=NAME, packed=True),
)
