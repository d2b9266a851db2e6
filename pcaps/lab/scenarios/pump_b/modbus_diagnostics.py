"""Function 8: a controller's communications restarted, then silenced; and the same function as a harmless echo."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.diag_message import (
    ForceListenOnlyModeRequest,
    RestartCommunicationsOptionRequest,
    RestartCommunicationsOptionResponse,
    ReturnBusMessageCountRequest,
    ReturnBusMessageCountResponse,
    ReturnDeviceBusyCountRequest,
    ReturnDeviceBusyCountResponse,
    ReturnQueryDataRequest,
    ReturnQueryDataResponse,
)
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadHoldingRegistersResponse

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.modbus_script import Script

_NAME: Final = "modbus-diagnostics"
_TWIN: Final = "modbus-diagnostics-benign"
_MINUTES: Final = 4
_POLL_S: Final = 3
#: Seconds of the capture in which the controller only listens.
_SILENT: Final = (90, 150)


def _watched(site: PumpB, silent: tuple[int, int]) -> int:
    """The operator station reads the valve's controller, answered or not; how often it was not."""
    script = Script(site.at(4))
    for _ in range(4, _MINUTES * 60 - 8, _POLL_S):
        second = (script.now_ns - site.start_ns) // 1_000_000_000
        answer = (
            None
            if silent[0] <= second < silent[1]
            else ReadHoldingRegistersResponse(registers=[412, 87, 0, 1])
        )
        script.ask(ReadHoldingRegistersRequest(address=0, count=4), answer, then_ms=_POLL_S * 1_000)
    site.say("hmi2", "valve1", script)
    return sum(not one.answered for one in script.said)


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=30)
    site.calm()
    unanswered = _watched(site, _SILENT)
    script = Script(site.at(60))
    script.ask(RestartCommunicationsOptionRequest(), RestartCommunicationsOptionResponse(), then_ms=10_000)
    script.ask(RestartCommunicationsOptionRequest(), RestartCommunicationsOptionResponse(), then_ms=18_500)
    # Nothing answers these two: who enters listen-only mode, and who leaves it (V1.1b3, 6.8.1).
    script.ask(ForceListenOnlyModeRequest(), None, then_ms=(_SILENT[1] - _SILENT[0]) * 1_000)
    script.ask(RestartCommunicationsOptionRequest(), None, then_ms=3_000)
    site.say("visitor", "valve1", script)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A controller restarted and silenced",
            f"""
A laptop in the control room, unknown to the policy, restarts the communications of the valve's controller twice
(function 8, sub-function 1), then forces it into listen-only mode (sub-function 4), which nothing answers. For a
minute the controller hears the operator station and says nothing: {unanswered} readings go unanswered. A third
restart, unanswered too, lets it speak again.
""",
            truth={"modbus_unanswered": unanswered + 2},
            planted=(
                tap.saw("M5", "visitor", "valve1", 3, "sub-function 1, the third unanswered"),
                tap.saw("M6", "visitor", "valve1", 1, "sub-function 4", seconds=(88, 89)),
                tap.saw(
                    "M14", "hmi2", "valve1", unanswered, "readings not answered for a minute", seconds=_SILENT
                ),
                tap.saw("M2", "visitor", "valve1", 1, "a client never seen before"),
                tap.saw("SEG-04", "visitor", "valve1", 1, "the conduit knows no such client"),
                tap.saw(
                    "SLA-01", "hmi2", "valve1", unanswered, "readings in a row not answered", seconds=_SILENT
                ),
                tap.appeared("visitor"),
            ),
            expected=(
                undeclared(site, "visitor"),
                expect(
                    site,
                    "SEG-04",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=4,
                    because="medium, one more for an established session",
                ),
                expect(
                    site,
                    "M5",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=3,
                    because="high, one more because the device confirmed it",
                ),
                expect(
                    site,
                    "M6",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=5,
                    exactly=1,
                    because="critical: the controller answers nobody any more",
                ),
                expect(
                    site,
                    "M14",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=unanswered,
                    because="medium: the network alone cannot tell why",
                ),
                expect(
                    site,
                    "SLA-01",
                    "hmi2",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=unanswered,
                    because="medium, for the device is held to class C2",
                ),
                expect(
                    site,
                    "M2",
                    "visitor",
                    "valve1",
                    conduit="c-room-pumps",
                    severity=3,
                    exactly=4,
                    because="medium: three restarts and the order to be silent",
                ),
            ),
            twin=_TWIN,
            baseline=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=40)
    site.calm()
    _watched(site, (0, 0))
    script = Script(site.at(60))
    for word in (b"\xa5\x37", b"\x00\x00", b"\xff\xff"):
        script.ask(
            ReturnQueryDataRequest(message=word), ReturnQueryDataResponse(message=word), then_ms=10_000
        )
    script.ask(ReturnBusMessageCountRequest(), ReturnBusMessageCountResponse(message=58), then_ms=10_000)
    script.ask(ReturnDeviceBusyCountRequest(), ReturnDeviceBusyCountResponse(message=0), then_ms=10_000)
    site.say("ews2", "valve1", script)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "A controller's line checked",
            """
The engineering station uses the same function 8 on the same controller for what it is there for: it has three words
sent back (sub-function 0) and reads two counters (sub-functions 11 and 17). The policy lets it, the controller
answers all of it, and the operator station's readings go on.
""",
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_205, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_206, _make_twin, site=NAME, packed=True),
)
