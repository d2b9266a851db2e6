"""A controller that calls itself something else than a few minutes before; and one that does not."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "firmware-changed"
_TWIN: Final = "firmware-changed-benign"
_MINUTES: Final = 4
_ASKED_S: Final = (30, 100, 170)


def _asked(site: PumpB, versions: tuple[str, str, str]) -> None:
    """The asset scanner, which may, asks the main pump's controller three times who it is."""
    for second, version in zip(_ASKED_S, versions, strict=True):
        script = Script(site.at(second))
        objects = {0: b"Example Controls", 1: b"EC-410", 2: version.encode()}
        script.ask(ReadDeviceInformationRequest(1, 0), ReadDeviceInformationResponse(1, objects))
        site.say("scan2", "pump1", script)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=446)
    site.calm()
    _asked(site, ("2.4", "2.4", "2.9-rc1"))
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Another firmware",
            """
The asset scanner, which may, asks the main pump's controller three times who it is (function 43/14). Twice it says
that its firmware is 2.4, the third time 2.9-rc1. No change is planned.
""",
            planted=(
                Tap(site, captured).saw(
                    "G7", "scan2", "pump1", 1, "2.4, then 2.9-rc1", seconds=(_ASKED_S[-1], _ASKED_S[-1] + 2)
                ),
            ),
            expected=(
                expect(
                    site,
                    "G7",
                    "scan2",
                    "pump1",
                    conduit="c-room-pumps",
                    severity=4,
                    exactly=1,
                    because="medium, one more for a C1 target",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=453)
    site.calm()
    _asked(site, ("2.4", "2.4", "2.4"))
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "The same firmware",
            """
The same three questions, and the same answer each time.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_239, _make, site=NAME),
    Scenario(_TWIN, 20_261_240, _make_twin, site=NAME),
)
