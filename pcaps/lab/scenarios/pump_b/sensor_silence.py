"""Two SPAN ports, one of which shows nothing for minutes: because it is blind, or because nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from pcaps.lab.pump_b import NAME, READ_STATUS, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, of_the_sensor, poorly_seen, ran, told
from pcaps.lab.synth.clock import MILLISECOND, SECOND
from pcaps.lab.synth.failover import gratuitous_arp
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame, Interface
from pcaps.lab.synth.tally import Said

_NAME: Final = "sensor-silence"
_TWIN: Final = "sensor-silence-benign"
_MINUTES: Final = 7
#: Seconds of the capture without a frame of the intake's port.
_SILENT: Final = (120, 300)
_INTERFACES: Final = (
    Interface("span-room", f"SPAN of the router between the zones of {NAME}"),
    Interface("span-intake", "SPAN of the switch in the intake tower"),
)
_INTAKE: Final = 1


def _intake(site: PumpB, first_s: int, last_s: int) -> None:
    """The intake's panel reads the intake's controller, in these seconds of the capture."""
    poll = site.client("panel3", "intake1").poll(
        (READ_STATUS,),
        start_ns=site.at(first_s) + 700 * MILLISECOND,
        end_ns=site.at(last_s),
        period_ns=2 * SECOND,
        connection_ns=3_600 * SECOND,
    )
    site.clock.start(poll)


def _frames(captured: Sequence[Captured]) -> list[Frame]:
    """Each frame by the port that shows it: the intake's, where its sender is there."""
    return [
        Frame(one.ts_ns, one.packet.frame, interface=_INTAKE if one.sender.zone == "intake" else 0)
        for one in captured
    ]


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=240)
    site.calm()
    _intake(site, 0, _MINUTES * 60 - 4)
    on_the_wire = ran(site)
    first_ns, last_ns = (site.at(second) for second in _SILENT)
    hidden = [one for one in on_the_wire if one.sender.zone == "intake" and first_ns <= one.ts_ns < last_ns]
    captured = [
        one for one in on_the_wire if one.sender.zone != "intake" or not first_ns <= one.ts_ns < last_ns
    ]

    def seen(client: str, one: Said) -> Said:
        there = client != "panel3" or not first_ns <= one.at_ns < last_ns
        return replace(one, asked=there, answered=there)

    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "A sensor that falls silent",
            """
Two SPAN ports: the router's, and the switch's in the intake tower, where a panel reads a controller every two seconds
on one long connection. For three minutes the intake's port shows nothing at all, while the router's
goes on; somebody has changed the switch. When it shows something again, the sequence numbers of that connection have
moved on by 90 readings: the intake was there all the time, the sensor was blind.
""",
            truth={
                "removed_frames": len(hidden),
                "hidden_data_bytes": sum(one.packet.payload_bytes for one in hidden),
                "silent_interface": _INTAKE,
                "silent_s": _SILENT[1] - _SILENT[0],
            },
            seen=seen,
            planted=(
                of_the_sensor(
                    Tap(site, on_the_wire).saw(
                        "COV-01",
                        "panel3",
                        "intake1",
                        1,
                        "three minutes without a frame of one port",
                        seconds=_SILENT,
                    )
                ),
            ),
            expected=(poorly_seen(1),),
            twin=_TWIN,
        ),
        frames=_frames(captured),
        interfaces=_INTERFACES,
    )


def _make_twin(seed: int) -> Made:
    # Within the planned change CHG-205.
    site = PumpB(seed, _MINUTES, start_minute=302)
    site.operate(0, _MINUTES * 60 - 2)
    _intake(site, 0, _SILENT[0] - 2)
    _intake(site, _SILENT[1] + 20, _MINUTES * 60 - 4)
    for second, name in ((_SILENT[1], "intake1"), (_SILENT[1] + 3, "panel3")):
        host = site.hosts[name]
        site.clock.at(site.at(second), partial(gratuitous_arp, site.network, host, host.mac, host.ip))
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _TWIN,
            seed,
            "A planned stop",
            """
The same two SPAN ports, and the same silence of the intake's: this time the intake stands still, in the window that
the policy has for it. The panel ends its connection, both are switched off, and after three minutes both come back,
announce their addresses and begin anew. Nothing was missed, and the router's port went on all the time.
""",
            truth={"silent_interface": _INTAKE, "silent_s": _SILENT[1] - _SILENT[0], "change": "CHG-205"},
            twin_of=_NAME,
        ),
        frames=_frames(captured),
        interfaces=_INTERFACES,
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_224, _make, site=NAME, packed=True),
    Scenario(_TWIN, 20_261_225, _make_twin, site=NAME, packed=True),
)
