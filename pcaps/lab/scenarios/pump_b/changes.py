"""Planned changes: one goes beyond what it is for, one leaves something behind; and both as they should be."""

from __future__ import annotations

from typing import Final

from pcaps.lab.pump_b import NAME, READ_STATUS, READ_VALUES, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.modbus_script import Script

_BEYOND: Final = "change-beyond"
_BEYOND_TWIN: Final = "change-beyond-benign"
#: Within CHG-207, which is for the second pump's program.
_BEYOND_MINUTE, _BEYOND_MINUTES = 481, 3
#: A private function that makers load programs with; what follows it is made up.
_PROGRAM: Final = 90
_BLOCKS: Final = 5

_LEFT: Final = "change-left-behind"
_LEFT_TWIN: Final = "change-left-behind-benign"
#: From six minutes before CHG-209 to five after its `rollback_by`.
_LEFT_MINUTE, _LEFT_MINUTES = 505, 18
_SET_UP_S, _DEADLINE_S, _GONE_S = 7 * 60, 13 * 60, 12 * 60


def _load(site: PumpB, controller: str, at_s: float, blocks: int) -> None:
    """The engineering station loads so many blocks into a controller."""
    script = Script(site.at(at_s))
    for block in range(blocks):
        request = bytes([_PROGRAM, 0, 0x31, block]) + bytes((5 * block + at) % 256 for at in range(96))
        script.ask(request, bytes([_PROGRAM, 0, 0xFE, block]), then_ms=1_500)
    site.say("ews2", controller, script)


def _make_beyond(seed: int) -> Made:
    site = PumpB(seed, _BEYOND_MINUTES, start_minute=_BEYOND_MINUTE)
    site.calm()
    _load(site, "pump2", 40, _BLOCKS)
    _load(site, "valve1", 70, _BLOCKS)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _BEYOND,
            seed,
            "A change that goes further",
            """
Within change CHG-207 the engineering station, which may, loads five blocks into the second pump's controller, as
planned; and then five into the valve's, whose turn is the day after.
""",
            planted=(
                Tap(site, captured).saw(
                    "CHG-02", "ews2", "valve1", _BLOCKS, "a controller that the change does not list"
                ),
            ),
            expected=(
                expect(
                    site,
                    "CHG-02",
                    "ews2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=4,
                    exactly=_BLOCKS,
                    because="medium, one more because the device confirmed it",
                ),
            ),
            twin=_BEYOND_TWIN,
        ),
    )


def _make_beyond_twin(seed: int) -> Made:
    site = PumpB(seed, _BEYOND_MINUTES, start_minute=_BEYOND_MINUTE)
    site.calm()
    _load(site, "pump2", 40, 2 * _BLOCKS)
    return told(
        site,
        ran(site),
        Story(
            _BEYOND_TWIN,
            seed,
            "A change as it was planned",
            """
Within change CHG-207 the engineering station loads ten blocks into the second pump's controller: what the window is
for, and all of it there.
""",
            twin_of=_BEYOND,
        ),
    )


def _recording(seed: int, last_s: int) -> PumpB:
    """The operator station reads the valve's controller all the time, the engineering station since the change."""
    site = PumpB(seed, _LEFT_MINUTES, start_minute=_LEFT_MINUTE)
    for client, request, first_s, end_s, period_s in (
        ("hmi2", READ_STATUS, 0, _LEFT_MINUTES * 60 - 4, 15),
        ("ews2", READ_VALUES, _SET_UP_S, last_s, 20),
    ):
        poll = site.client(client, "valve1").poll(
            (request,),
            start_ns=site.at(first_s + 0.4),
            end_ns=site.at(end_s),
            period_ns=period_s * SECOND,
            connection_ns=3_600 * SECOND,
        )
        site.clock.start(poll)
    return site


def _make_left(seed: int) -> Made:
    site = _recording(seed, _LEFT_MINUTES * 60 - 4)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _LEFT,
            seed,
            "What a change left behind",
            """
For change CHG-209 the engineering station records the valve's values; whatever is not kept had to be gone by 02:38.
The rules allow the recording at any time, and it goes on.
""",
            planted=(
                Tap(site, captured).saw(
                    "CHG-03",
                    "ews2",
                    "valve1",
                    _LEFT_MINUTES - _DEADLINE_S // 60,
                    "minutes of a recording after the deadline, which was not there before the change",
                    seconds=(_DEADLINE_S, _LEFT_MINUTES * 60),
                ),
            ),
            expected=(
                expect(
                    site,
                    "CHG-03",
                    "ews2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=_LEFT_MINUTES - _DEADLINE_S // 60,
                    because="medium; it is there, whatever it does",
                ),
            ),
            truth_lists={"round_trip": ()},
            twin=_LEFT_TWIN,
        ),
    )


def _make_left_twin(seed: int) -> Made:
    site = _recording(seed, _GONE_S)
    return told(
        site,
        ran(site),
        Story(
            _LEFT_TWIN,
            seed,
            "A change that is over",
            """
The same recording for change CHG-209: it ends a minute before the moment at which it has to be gone. The operator
station reads on, as it did before.
""",
            truth_lists={"round_trip": ()},
            twin_of=_LEFT,
        ),
    )


SCENARIOS: Final = (
    Scenario(_BEYOND, 20_261_251, _make_beyond, site=NAME, packed=True),
    Scenario(_BEYOND_TWIN, 20_261_252, _make_beyond_twin, site=NAME, packed=True),
    Scenario(_LEFT, 20_261_253, _make_left, site=NAME, packed=True),
    Scenario(_LEFT_TWIN, 20_261_254, _make_left_twin, site=NAME, packed=True),
)
