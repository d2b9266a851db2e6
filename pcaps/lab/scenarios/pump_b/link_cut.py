"""A link that carries nothing for half a minute: by accident, and in a change that was planned for it."""

from __future__ import annotations

from typing import Final

from pcaps.lab.pump_b import AFTERNOON_NS, NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told
from pcaps.lab.site import MINUTE_NS
from pcaps.lab.synth.clock import MILLISECOND, SECOND
from pcaps.lab.synth.network import Impairment

_NAME: Final = "link-cut"
_TWIN: Final = "link-cut-benign"
_MINUTES: Final = 6
_START_MINUTE: Final = 347
#: Within the planned change CHG-206.
_TWIN_START_MINUTE: Final = 362
#: Seconds of the capture in which the link carries nothing.
_CUT: Final = (175, 205)
#: The operator station's polls that cross the link: server, first one in ms, period in ms.
_POLLS: Final = (("pump1", 350, 2_000), ("pump2", 1_120, 5_000))


def _cut(start_minute: int) -> Impairment:
    start_ns = AFTERNOON_NS + start_minute * MINUTE_NS
    return Impairment(
        near_zone="control-room",
        far_zone="pumps",
        start_ns=start_ns + _CUT[0] * SECOND,
        end_ns=start_ns + _CUT[1] * SECOND,
        one_way_ns=0,
        jitter_ns=0,
        loss=1.0,
    )


def _site(seed: int, start_minute: int) -> PumpB:
    site = PumpB(seed, _MINUTES, (_cut(start_minute),), start_minute=start_minute)
    site.calm()
    return site


def _bad_slots(site: PumpB) -> tuple[int, int]:
    """How often the operator station was to ask and got no answer in time, and when it asked in peace again (s).

    From its own list of what it asked when: who waits for an answer asks no more, and what is asked after the cut is
    answered at once.
    """
    first_ns, last_ns = (site.at(second) for second in _CUT)
    bad, in_peace_ns = 0, 0
    for server, offset_ms, period_ms in _POLLS:
        due = range(site.at(0) + offset_ms * MILLISECOND, site.end_ns, period_ms * MILLISECOND)
        asked = sorted(one.at_ns for name, one in site.said_by("hmi2") if name == server)
        again_ns = next(at_ns for at_ns in asked if at_ns >= last_ns)
        bad += sum(first_ns <= at_ns < again_ns - period_ms * MILLISECOND // 2 for at_ns in due)
        in_peace_ns = max(in_peace_ns, again_ns)
    return bad, (in_peace_ns - site.start_ns) // SECOND + 1


def _make(seed: int) -> Made:
    site = _site(seed, _START_MINUTE)
    captured = ran(site)
    bad, in_peace_s = _bad_slots(site)
    dropped = sum(site.network.losses.dropped.values())
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A link that is cut",
            """
For half a minute the link from the control room to the pump hall carries nothing: somebody has pulled the wrong plug.
What the operator station asks both pump controllers is repeated in vain, then answered much too late; what it would
have asked meanwhile is not asked at all. The historian, on a link of its own, reads the first pump all the time: the
controllers are well, what is out is the conduit.
""",
            truth={"dropped_segments": dropped},
            planted=(
                Tap(site, captured).saw(
                    "SLA-01",
                    "hmi2",
                    "pump2",
                    bad,
                    "slots of two polls in the seconds of the cut, and until their requests came through",
                    seconds=(_CUT[0], in_peace_s),
                ),
                Tap(site, captured).saw(
                    "SLA-04",
                    "hmi2",
                    "pump1",
                    dropped,
                    "everything that both controllers were sent in vain, each time that it was sent",
                    seconds=(_CUT[0] // 60 * 60, (in_peace_s // 60 + 1) * 60),
                ),
            ),
            expected=(
                expect(
                    site,
                    "SLA-01",
                    "hmi2",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=bad,
                    because="high, for the first pump is C1; one more for a whole conduit",
                ),
                expect(
                    site,
                    "SLA-04",
                    "hmi2",
                    "pump1",
                    conduit="c-room-pumps",
                    severity=2,
                    exactly=dropped,
                    because="one less than the medium of class C2; half of it was sent to each controller",
                ),
            ),
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = _site(seed, _TWIN_START_MINUTE)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _TWIN,
            seed,
            "A link that is cut as planned",
            """
The same link, cut for as long: this time the plug is moved in the window that the policy has for it (CHG-206), which
leaves the service level's denominator. Nothing is out that was to be there.
""",
            truth={"dropped_segments": sum(site.network.losses.dropped.values()), "change": "CHG-206"},
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_227, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_228, _make_twin, site=NAME, packed=True),
)
