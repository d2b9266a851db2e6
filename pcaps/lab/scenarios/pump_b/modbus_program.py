"""A controller programmed with its maker's own function and by its files; and the same files only read."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.file_message import (
    FileRecord,
    ReadFileRecordRequest,
    ReadFileRecordResponse,
    WriteFileRecordRequest,
    WriteFileRecordResponse,
)

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "modbus-program"
_TWIN: Final = "modbus-program-benign"
_MINUTES: Final = 4
#: A private function that makers load programs with; what follows it is made up.
_PROGRAM: Final = 90
_BLOCKS: Final = 12
_FILES: Final = 3


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=375)
    site.calm()
    script = Script(site.at(50))
    for block in range(_BLOCKS):
        request = bytes([_PROGRAM, 0, 0x31, block]) + bytes((7 * block + at) % 256 for at in range(120))
        script.ask(request, bytes([_PROGRAM, 0, 0xFE, block]), then_ms=1_500)
    for number in range(_FILES):
        data = bytes((11 * number + at) % 256 for at in range(40))
        record = FileRecord(file_number=4, record_number=20 * number, record_data=data)
        script.ask(WriteFileRecordRequest([record]), WriteFileRecordResponse([record]), then_ms=2_000)
    site.say("visitor", "pump2", script)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A controller programmed",
            """
A laptop in the control room, unknown to the policy, loads twelve blocks into the second pump's controller with
function 90, which is nobody's but some makers', and then writes three file records (function 21). The controller
confirms all of it.
""",
            planted=(
                tap.saw(
                    "M12",
                    "visitor",
                    "pump2",
                    _BLOCKS + _FILES,
                    "function 90, then function 21: file records written",
                    seconds=(49, 75),
                ),
                tap.saw(
                    "CHG-01",
                    "visitor",
                    "pump2",
                    _BLOCKS + _FILES,
                    "a program and files written, five minutes after the controller's window",
                    seconds=(49, 75),
                ),
                tap.saw(
                    "M1", "visitor", "pump2", _FILES, "file records written by a client never seen before"
                ),
                tap.saw("M2", "visitor", "pump2", 1, "a client never seen before"),
                tap.saw("SEG-04", "visitor", "pump2", 1, "the conduit knows no such client"),
                tap.appeared("visitor"),
            ),
            expected=(
                undeclared(site, "visitor"),
                expect(
                    site,
                    "SEG-04",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=4,
                    because="medium, one more for an established session",
                ),
                expect(
                    site,
                    "M12",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=_BLOCKS + _FILES,
                    because="high, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "CHG-01",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=_BLOCKS + _FILES,
                    because="high, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "M1",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=_FILES,
                    because="high, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "M2",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=_BLOCKS + _FILES,
                    because="medium: every request of the client",
                ),
            ),
            twin=_TWIN,
            baseline=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=382)
    site.calm()
    script = Script(site.at(50))
    for number in range(_BLOCKS + _FILES):
        data = bytes((11 * number + at) % 256 for at in range(40))
        record = FileRecord(file_number=4, record_number=20 * number, record_length=20)
        answer = FileRecord(file_number=4, record_number=20 * number, record_data=data)
        script.ask(ReadFileRecordRequest([record]), ReadFileRecordResponse([answer]), then_ms=2_000)
    site.say("ews2", "pump2", script)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A controller's recipes read",
            """
The engineering station, which may, reads fifteen file records of the second pump's controller (function 20): much
data, and nothing of it goes into the controller.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_231, _make, site=NAME),
    Scenario(_TWIN, 20_261_232, _make_twin, site=NAME),
)
