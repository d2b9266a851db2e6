"""A link that is bad in five ways, one after the other: what a monitor measures is held against each alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pcaps.lab.notes import Table, moment
from pcaps.lab.pump_b import AFTERNOON_NS, NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario, conversations, round_trips
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.site import MINUTE_NS
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND
from pcaps.lab.synth.modbus import READ_INPUT, Request
from pcaps.lab.synth.network import Impairment

_NAME: Final = "link-phases"
_START_MINUTE: Final = 315
_MINUTES_A_PHASE: Final = 3


@dataclass(frozen=True, slots=True)
class _Phase:
    one_way_ms: int
    loss: float


#: Good minutes before, after, and between what delays and what loses.
_PHASES: Final = (
    _Phase(0, 0.0),
    _Phase(5, 0.0),
    _Phase(20, 0.0),
    _Phase(80, 0.0),
    _Phase(0, 0.0),
    _Phase(0, 0.005),
    _Phase(0, 0.02),
    _Phase(0, 0.0),
)
_MINUTES: Final = _MINUTES_A_PHASE * len(_PHASES)
#: Minutes in which there is enough to lose, one before and after the bad ones included.
_BURSTS: Final = (14, 22)
_PAGES: Final = tuple(Request(READ_INPUT, 10 * page, 10) for page in range(6))


def _impairment(number: int, phase: _Phase) -> Impairment:
    start_ns = AFTERNOON_NS + (_START_MINUTE + number * _MINUTES_A_PHASE) * MINUTE_NS
    return Impairment(
        near_zone="control-room",
        far_zone="pumps",
        start_ns=start_ns,
        end_ns=start_ns + _MINUTES_A_PHASE * MINUTE_NS,
        one_way_ns=phase.one_way_ms * MILLISECOND,
        jitter_ns=200 * MICROSECOND if phase.one_way_ms else 0,
        loss=phase.loss,
    )


def _make(seed: int) -> Made:
    stretches = [_impairment(number, phase) for number, phase in enumerate(_PHASES)]
    site = PumpB(seed, _MINUTES, stretches, start_minute=_START_MINUTE)
    site.operate(0, _MINUTES * 60 - 2, connection_s=20)
    # Six pages asked at once: of a burst a lost segment leaves a hole that the next one shows.
    bursts = site.client("hmi2", "valve1").poll(
        _PAGES,
        start_ns=site.at(60 * _BURSTS[0]) + 620 * MILLISECOND,
        end_ns=site.at(60 * _BURSTS[1]),
        period_ns=SECOND,
        connection_ns=20 * SECOND,
        at_once=True,
    )
    site.clock.start(bursts)
    captured = ran(site)
    pairs = (("hmi2", "pump1"), ("hmi2", "pump2"), ("hist2", "pump1"))
    talks = conversations(site, captured)
    lost = sum(
        int(str(one[how])) for one in talks for how in ("seen_twice", "seen_more_often", "filled_holes")
    )
    first_lossy = next(number for number, phase in enumerate(_PHASES) if phase.loss)
    lossy_s = (60 * _MINUTES_A_PHASE * first_lossy, 60 * (_MINUTES - _MINUTES_A_PHASE))
    minutes = range(0, _MINUTES, _MINUTES_A_PHASE)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A link, bad in five ways",
            """
The conduit from the control room to the pump hall crosses a link that changes every three minutes: good, 5 ms more
each way, 20 ms, 80 ms, good, 0.5 % of the packets lost, 2 % lost, good. The historian's conduit is good all the time.
The tap is on the near side: what the pump hall is sent is lost behind it and seen twice, what it answers is lost
before it and shows as a hole that a later segment of a burst leaves; such bursts go on from the minute before the
loss to the minute after it. The policy is kept; the conduit loses more than its target allows.
""",
            planted=(
                Tap(site, captured).saw(
                    "SLA-04",
                    "hmi2",
                    "valve1",
                    lost,
                    "segments of the conduit lost, as the tap can see",
                    seconds=lossy_s,
                ),
            ),
            expected=(
                expect(
                    site,
                    "SLA-04",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=2,
                    exactly=lost,
                    because="one less than the medium of class C2, for loss tells why, not what",
                ),
            ),
            truth={
                "impaired_conduit": "c-room-pumps",
                "dropped_segments": sum(
                    sum(site.network.losses_of[bad].dropped.values()) for bad in stretches
                ),
            },
            truth_lists={
                "round_trip": round_trips(
                    site, pairs, [(minute, minute + _MINUTES_A_PHASE) for minute in minutes]
                ),
                "phase": [_phase(site, bad) for bad in stretches],
            },
        ),
    )


def _phase(site: PumpB, bad: Impairment) -> Table:
    losses = site.network.losses_of[bad]
    return {
        "from": moment(bad.start_ns),
        "to": moment(bad.end_ns),
        "one_way_delay_ns": bad.one_way_ns,
        "loss": bad.loss,
        "offered_data_before_tap": losses.offered["before_tap_data"],
        "offered_data_after_tap": losses.offered["after_tap_data"],
        "dropped_data_before_tap": losses.dropped["before_tap_data"],
        "dropped_data_after_tap": losses.dropped["after_tap_data"],
    }


SCENARIOS: Final = (Scenario(_NAME, 20_261_226, _make, site=NAME, packed=True),)
