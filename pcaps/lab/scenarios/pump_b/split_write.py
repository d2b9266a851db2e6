"""Setpoints written in requests that are cut in two TCP segments: by somebody who may not, and by somebody who may."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
)

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "split-write"
_TWIN: Final = "split-write-benign"
_MINUTES: Final = 4
_FIRST_ADDRESS: Final = 100
_SETPOINTS: Final = (1480, 1500, 640, 90)
#: Within the header's length, between header and function, within the address, within the values.
_CUTS: Final = ((5,), (7,), (9,), (14,), (1, 16))


def _site(seed: int, start_minute: int, writer: str) -> PumpB:
    site = PumpB(seed, _MINUTES, start_minute=start_minute)
    site.calm()
    script = Script(site.at(63))
    values = list(_SETPOINTS)
    script.ask(
        ReadHoldingRegistersRequest(address=_FIRST_ADDRESS, count=len(values)),
        ReadHoldingRegistersResponse(registers=[1400, 1400, 600, 80]),
        then_ms=4_000,
    )
    for number, cuts in enumerate(_CUTS):
        script.ask(
            WriteMultipleRegistersRequest(
                address=_FIRST_ADDRESS, registers=[value + 10 * number for value in values]
            ),
            WriteMultipleRegistersResponse(address=_FIRST_ADDRESS, count=len(values)),
            cuts=cuts,
            then_ms=6_000,
        )
    site.say(writer, "pump1", script)
    return site


def _make(seed: int) -> Made:
    site = _site(seed, 0, "office5")
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A write in two segments",
            """
While the control room and the historian read, a workstation of the office network opens Modbus to the main pump's
controller, reads four setpoints and writes them five times with function 16. Each of its write requests is cut
into two TCP segments, one into three: within the header's length, behind the header, within the address, within
the values. Who looks at packets alone sees no write; who puts the stream together sees all five, and the
controller confirms them.
""",
            planted=(
                tap.saw("SEG-02", "office5", "pump1", 1, "one session, from level 4 to level 1"),
                tap.saw("M1", "office5", "pump1", len(_CUTS), "five writes of function 16, confirmed"),
                tap.saw("M2", "office5", "pump1", 1, "one session of a client never seen before"),
            ),
            expected=(
                expect(
                    site,
                    "SEG-02",
                    "office5",
                    "pump1",
                    conduit="",
                    severity=5,
                    because="high, one more for a C1 target, one more for an established session, and 5 is the most",
                ),
                expect(
                    site,
                    "M1",
                    "office5",
                    "pump1",
                    conduit="",
                    severity=5,
                    exactly=len(_CUTS),
                    because="high, one more for a C1 target, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "M2",
                    "office5",
                    "pump1",
                    conduit="",
                    severity=4,
                    exactly=1 + len(_CUTS),
                    because="medium, one more for a C1 target: one reading and the writes",
                ),
            ),
            twin=_TWIN,
            baseline=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = _site(seed, 10, "ews2")
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A write in two segments, allowed",
            """
The same five writes of the same setpoints, cut into segments at the same bytes: this time by the engineering
station, which the policy lets write them. How a request is cut says nothing of who sends it; a slow serial
converter or a small window does the same.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_201, _make, site=NAME),
    Scenario(_TWIN, 20_261_202, _make_twin, site=NAME),
)
