"""Controllers looked over: identities, units, functions, registers. By an intruder, and by those whose work it is."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse
from pymodbus.pdu.other_message import ReportDeviceIdRequest, ReportDeviceIdResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps.lab.pump_b import NAME, PLAN, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.modbus_script import Script, refused

_NAME: Final = "modbus-survey"
_TWIN: Final = "modbus-survey-benign"
_MINUTES: Final = 6
_CONTROLLERS: Final = ("pump1", "pump2", "valve1", "gw1")
#: Drives behind the serial gateway.
_DRIVES: Final = range(1, 9)
_UNITS: Final = range(1, 49)
_READ_HOLDING: Final = 3
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _NO_SUCH_DRIVE = 1, 2, 11
#: Functions that the valve's controller has; all others it refuses.
_HAS: Final = {
    b"\x01\x00\x00\x00\x08": b"\x01\x01\x5a",
    b"\x02\x00\x00\x00\x08": b"\x02\x01\x0f",
    b"\x03\x00\x00\x00\x01": b"\x03\x02\x03\xe8",
    b"\x04\x00\x00\x00\x01": b"\x04\x02\x07\xd0",
}
#: Status, counters, log, identity, queue (V1.1b3, 6.7 to 6.18), then the range of the makers' own (5.1).
_HAS_NOT: Final = (
    b"\x07",
    b"\x0b",
    b"\x0c",
    b"\x11",
    b"\x18\x00\x00",
    *(bytes([function, 0, 0, 0, 1]) for function in (65, 66, 67, 68, 100, 101, 102, 103)),
)
_BLOCK: Final = 100
_SWEPT: Final = range(0, 4_000, _BLOCK)


def _identity(script: Script, name: str, *, pause_ms: int) -> None:
    objects = {0: b"Example Controls", 1: name.encode(), 2: b"2.4"}
    script.ask(
        ReadDeviceInformationRequest(1, 0), ReadDeviceInformationResponse(1, objects), then_ms=pause_ms
    )
    script.ask(ReportDeviceIdRequest(), ReportDeviceIdResponse(name.encode(), status=True), then_ms=pause_ms)


def _read(
    script: Script, address: int, count: int, then_ms: int, *, unit: int = 1, registers: int = 2_000
) -> None:
    answer: ReadHoldingRegistersResponse | bytes = refused(_READ_HOLDING, _ILLEGAL_ADDRESS)
    if address + count <= registers:
        answer = ReadHoldingRegistersResponse(
            registers=[(7 * at + unit) % 1_000 for at in range(address, address + count)]
        )
    script.ask(ReadHoldingRegistersRequest(address=address, count=count), answer, unit=unit, then_ms=then_ms)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=20)
    site.calm()
    for number, name in enumerate(_CONTROLLERS):
        script = Script(site.at(40 + 3 * number))
        _identity(script, name, pause_ms=700)
        site.say("visitor", name, script)
    units = Script(site.at(70))
    for unit in _UNITS:
        if unit in _DRIVES:
            _read(units, 0, 4, 500, unit=unit)
        else:
            units.ask(
                ReadHoldingRegistersRequest(address=0, count=4),
                refused(3, _NO_SUCH_DRIVE),
                unit=unit,
                then_ms=500,
            )
    site.say("visitor", "gw1", units, service_ms=60)
    functions = Script(site.at(140))
    for request in (*_HAS, *_HAS_NOT):
        functions.ask(request, _HAS.get(request, refused(request[0], _ILLEGAL_FUNCTION)), then_ms=400)
    site.say("visitor", "valve1", functions)
    registers = Script(site.at(200))
    for address in _SWEPT:
        _read(registers, address, _BLOCK, 900)
    site.say("visitor", "pump2", registers)
    captured = ran(site)
    tap = Tap(site, captured)
    missing = len(_UNITS) - len(_DRIVES)
    beyond = sum(address + _BLOCK > PLAN.registers for address in _SWEPT)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Controllers looked over",
            """
Somebody's laptop in the control room, which the policy does not know, gets to know the pump hall in five minutes. It
asks four controllers who they are (functions 43/14 and 17), knocks on 48 units of the serial gateway, of which
eight are there (exception 0B for the others), tries 17 functions on the valve's controller, which has four
(exception 01), and reads the second pump's holding registers from 0 to 3999 in blocks of a hundred, of which the
upper half is not there (exception 02). It changes nothing.
""",
            planted=(
                *(
                    tap.saw("M7", "visitor", name, 2, "functions 43/14 and 17, once each", seconds=(39, 60))
                    for name in _CONTROLLERS
                ),
                tap.saw("M8", "visitor", "gw1", len(_UNITS), "48 units in 24 seconds", seconds=(69, 110)),
                tap.saw(
                    "M10",
                    "visitor",
                    "gw1",
                    missing,
                    "exception 0B: no drive behind the gateway",
                    seconds=(69, 110),
                ),
                tap.saw("M8", "visitor", "valve1", 17, "17 function codes in 7 seconds", seconds=(139, 160)),
                tap.saw(
                    "M9",
                    "visitor",
                    "pump2",
                    len(_SWEPT),
                    f"40 blocks in a row, {beyond} of them not there",
                    seconds=(199, 260),
                ),
                *(tap.saw("M2", "visitor", name, 1, "a client never seen before") for name in _CONTROLLERS),
                *(
                    tap.saw("SEG-04", "visitor", name, 1, "the conduit knows no such client")
                    for name in _CONTROLLERS
                ),
                tap.appeared("visitor"),
            ),
            expected=[
                undeclared(site, "visitor"),
                *(
                    expect(
                        site,
                        "M7",
                        "visitor",
                        name,
                        conduit="c-room-pumps",
                        severity=3 if name == "pump1" else 2,
                        exactly=2,
                        because="low, one more for a C1 target",
                    )
                    for name in _CONTROLLERS
                ),
                *(
                    expect(
                        site,
                        kind,
                        "visitor",
                        name,
                        conduit="c-room-pumps",
                        severity=severity,
                        exactly=count,
                        because=because,
                    )
                    for kind, name, severity, count, because in (
                        ("M8", "gw1", 3, missing, "medium: units that are there are no probes"),
                        # Reads and identity are among the seventeen: what the controller has is no probe either.
                        ("M8", "valve1", 3, 13, "medium: functions that it has are no probes"),
                        ("M9", "pump2", 3, beyond, "medium: it reads, and finds nothing"),
                        ("M10", "gw1", 2, missing, "low: as it looks when a line is down"),
                    )
                ),
                *(
                    expect(
                        site,
                        "SEG-04",
                        "visitor",
                        name,
                        conduit="c-room-pumps",
                        severity=5 if name == "pump1" else 4,
                        because="medium, one more for an established session, "
                        "and one more for a C1 target where it is one",
                    )
                    for name in _CONTROLLERS
                ),
            ],
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=65)
    site.calm()
    for number, name in enumerate(_CONTROLLERS):
        script = Script(site.at(30 + 20 * number))
        _identity(script, name, pause_ms=2_000)
        _read(script, 0, 10, 2_000)
        site.say("scan2", name, script)
    drives = Script(site.at(12))
    recipe = Script(site.at(14))
    for _ in range(4):
        for unit in _DRIVES:
            _read(drives, 0, 4, 10_000, unit=unit)
    for _ in range(3):
        for address in range(0, PLAN.registers, _BLOCK):
            _read(recipe, address, _BLOCK, 5_000)
    site.say("hmi2", "gw1", drives, service_ms=60)
    site.say("hmi2", "valve1", recipe)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "Controllers looked over by those who may",
            """
In the window of its first visit, the asset scanner asks the four controllers who they are and reads ten registers
of each, as the policy lets it. The operator station reads the eight drives behind the serial gateway in turn, one
each ten seconds, and all 2,000 registers of the valve's controller in blocks of a hundred, again and again: many
units and many registers, but no more than there are, always the same, and no exception.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_203, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_204, _make_twin, site=NAME, packed=True),
)
