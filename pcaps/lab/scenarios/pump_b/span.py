"""One conversation, tapped in different ways: what the sensor is shown changes, what happened does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pymodbus.pdu.register_message import WriteMultipleRegistersRequest, WriteMultipleRegistersResponse

from pcaps import ExpectedFinding, Planted
from pcaps.lab.notes import Value
from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario, round_trips
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, of_the_sensor, poorly_seen, ran, told
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.modbus_script import Script
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame, Interface
from pcaps.lab.synth.span import lose, repeat, telling
from pcaps.lab.synth.tally import Said
from pcaps.lab.synth.wrapping import double_vlan, erspan, gre, vlan, vxlan

_WHOLE: Final = "span-whole"
_WRAPPED: Final = "span-encapsulated"
_ONE_SIDED: Final = "span-one-sided"
_MIDSTREAM: Final = "span-midstream"
_TOLD: Final = "span-drops-told"
_COPIES: Final = "span-copies"
_MINUTES: Final = 5
#: What each minute's connections are wrapped in.
_WRAPS: Final = (vlan, double_vlan, gre, erspan, vxlan)
#: Minutes of which only the requests' side is seen, and only the answers'.
_ASKED_ONLY, _ANSWERED_ONLY = (0, 1), (3, 4)
_JOINED_S: Final = 20
#: Minutes in which the port is overfull: the first told frame by frame, the second only at the end.
_TOLD_MINUTE, _SUMMED_MINUTE = 1, 3
_LOST_SHARE: Final = 0.04
_WRITE: Final = WriteMultipleRegistersRequest(address=100, registers=[1480, 1500])
_WRITTEN: Final = WriteMultipleRegistersResponse(address=100, count=2)


def _site(seed: int, start_minute: int, *, connection_s: int = 60) -> PumpB:
    """A calm day, and a workstation of the office that writes setpoints once a minute."""
    site = PumpB(seed, _MINUTES, start_minute=start_minute)
    site.calm(connection_s=connection_s)
    if connection_s > 60:
        script = Script(site.at(5))
        for _ in range(_MINUTES):
            script.ask(_WRITE, _WRITTEN, then_ms=50_000)
        site.say("office5", "pump1", script)
    else:
        for minute in range(_MINUTES):
            script = Script(site.at(60 * minute + 25))
            script.ask(_WRITE, _WRITTEN)
            site.say("office5", "pump1", script)
    return site


def _planted(site: PumpB, captured: Sequence[Captured], sessions: int, writes: int) -> tuple[Planted, ...]:
    tap = Tap(site, captured)
    return (
        tap.saw("SEG-02", "office5", "pump1", sessions, "sessions from level 4 to level 1"),
        tap.saw("M1", "office5", "pump1", writes, "writes of function 16"),
        tap.saw("M2", "office5", "pump1", 1, "a client never seen before"),
    )


def _expected(site: PumpB) -> tuple[ExpectedFinding, ...]:
    because = "high, one more for a C1 target, one more for an established session, and 5 is the most"
    return (expect(site, "SEG-02", "office5", "pump1", conduit="", severity=5, because=because),)


def _minute(site: PumpB, time_ns: int) -> int:
    return (time_ns - site.start_ns) // (60 * SECOND)


def _minute_of_flow(site: PumpB, one: Captured) -> int:
    """The minute in which the connection began; each is over before the next minute's begins."""
    began_ns = int(one.packet.flow.rpartition("@")[2] or one.ts_ns)
    return _minute(site, began_ns)


def _make_whole(seed: int) -> Made:
    site = _site(seed, 185)
    captured = ran(site)
    return told(
        site,
        captured,
        Story(
            _WHOLE,
            seed,
            "As it was on the wire",
            """
Five calm minutes in which a workstation of the office network writes two setpoints of the main pump's controller once
a minute, each time on a connection of its own. The SPAN port shows every frame once and as it was. The other captures
whose names begin with `span-` show such minutes as other taps would.
""",
            planted=_planted(site, captured, _MINUTES, _MINUTES),
            expected=_expected(site),
        ),
    )


def _make_wrapped(seed: int) -> Made:
    site = _site(seed, 185)
    captured = ran(site)
    frames = [
        Frame(one.ts_ns, _WRAPS[_minute_of_flow(site, one)](one.packet.frame, number))
        for number, one in enumerate(captured, 1)
    ]
    return told(
        site,
        captured,
        Story(
            _WRAPPED,
            seed,
            "In tags and tunnels",
            """
The very frames of `span-whole`, from the same seed, as other taps hand them over: the connections of the first minute
with a VLAN tag, of the second with a provider's tag around it, of the third in GRE, of the fourth in ERSPAN, of the
fifth in VXLAN. It must be read and judged as the plain one, frame by frame.
""",
            truth={"same_as": _WHOLE},
            planted=_planted(site, captured, _MINUTES, _MINUTES),
            expected=_expected(site),
        ),
        frames=frames,
    )


def _make_one_sided(seed: int) -> Made:
    site = _site(seed, 195)

    def is_seen(one: Captured) -> bool:
        minute = _minute_of_flow(site, one)
        hidden = minute in _ASKED_ONLY if one.sender.zone == "pumps" else minute in _ANSWERED_ONLY
        return one.receiver is None or not hidden

    def seen(_: str, one: Said) -> Said:
        minute = _minute(site, one.at_ns)
        return replace(
            one, asked=minute not in _ANSWERED_ONLY, answered=one.answered and minute not in _ASKED_ONLY
        )

    on_the_wire = ran(site)
    captured = [one for one in on_the_wire if is_seen(one)]
    hidden = [one for one in on_the_wire if not is_seen(one)]
    return told(
        site,
        captured,
        Story(
            _ONE_SIDED,
            seed,
            "Half of every conversation",
            """
The traffic of `span-whole`, and a SPAN port that misses one direction: in the first two minutes what the pump hall
sends, in the last two what it is sent. Only the third minute is whole. Who wrote is seen and not whether it was
confirmed, then what was confirmed and, by the answers, for whom: no answer is missing on the network, and nothing of
this is loss.
""",
            truth={
                "removed_frames": len(hidden),
                "hidden_data_segments": sum(one.packet.payload_bytes > 0 for one in hidden),
                "hidden_connections": len({one.packet.flow for one in hidden}),
            },
            truth_lists={"round_trip": round_trips(site, (("hmi2", "pump1"), ("hmi2", "pump2")), ((2, 3),))},
            seen=seen,
            planted=(
                *_planted(site, captured, _MINUTES, _MINUTES),
                of_the_sensor(
                    Tap(site, captured).saw("COV-01", "hmi2", "pump1", 4, "minutes with one direction only")
                ),
            ),
            expected=(*_expected(site), poorly_seen(4)),
        ),
    )


def _make_midstream(seed: int) -> Made:
    site = _site(seed, 205, connection_s=3_600)
    joined_ns = site.at(_JOINED_S)
    captured = [one for one in ran(site) if one.ts_ns >= joined_ns]

    def seen(_: str, one: Said) -> Said:
        there = one.at_ns >= joined_ns
        return replace(one, asked=there, answered=there and one.answered)

    return told(
        site,
        captured,
        Story(
            _MIDSTREAM,
            seed,
            "In the midst of it",
            """
Connections that last for hours, the intruder's too, and a capture that begins when all of them are open: not one
handshake is in it. Who asks and who answers, and that it is Modbus, has to be known from what they say.
""",
            truth={"handshakes": 0},
            truth_lists={"round_trip": ()},
            seen=seen,
            planted=_planted(site, captured, 1, _MINUTES - 1),
            expected=_expected(site),
        ),
    )


def _make_told(seed: int) -> Made:
    site = _site(seed, 215)
    overfull = (_TOLD_MINUTE, _SUMMED_MINUTE)
    on_the_wire = ran(site)
    kept, removed = lose(on_the_wire, _LOST_SHARE, seed, lambda time_ns: _minute(site, time_ns) in overfull)
    truth: dict[str, Value] = {
        "removed_frames": removed.frames,
        "removed_data_segments": removed.data_segments,
        "dropped_frames_told": removed.frames,
    }
    interface = Interface("span0", f"SPAN of the router between the zones of {NAME}", dropped=removed.frames)
    return told(
        site,
        kept,
        Story(
            _TOLD,
            seed,
            "A capture that says what it lost",
            """
The traffic of `span-whole`, and a SPAN port that is overfull in the second and in the fourth minute. The capture says
so: in the second minute each frame tells how many are missing just before it, the rest is told in one sum at the end.
The network lost nothing.
""",
            truth=truth,
            # Which requests the removed frames were, the stations do not know.
            truth_lists={"operation": ()},
            planted=(
                *_planted(site, kept, _MINUTES, _MINUTES),
                of_the_sensor(
                    Tap(site, kept).saw(
                        "COV-01",
                        "hmi2",
                        "pump1",
                        3,
                        "two minutes in which the capture lost frames, and the one at whose end it tells the sum",
                    )
                ),
            ),
            expected=(*_expected(site), poorly_seen(3)),
        ),
        frames=telling(on_the_wire, kept, site.at(60 * (_TOLD_MINUTE + 1))),
        interfaces=(interface,),
    )


def _make_copies(seed: int) -> Made:
    site = _site(seed, 225)
    captured = ran(site)
    frames, packets = repeat(captured, seed)
    return told(
        site,
        captured,
        Story(
            _COPIES,
            seed,
            "Everything twice",
            """
The traffic of `span-whole`, and a switch that mirrors two ports of the same conversation: every frame comes twice
within a millisecond, not a bit of it changed. Nothing was asked, answered, written or sent again.
""",
            truth={"span_duplicates": packets},
            planted=_planted(site, captured, _MINUTES, _MINUTES),
            expected=_expected(site),
        ),
        frames=frames,
    )


SCENARIOS: Final = (
    Scenario(_WHOLE, 20_261_219, _make_whole, site=NAME, packed=True),
    # The same seed: the same conversation.
    Scenario(_WRAPPED, 20_261_219, _make_wrapped, site=NAME, packed=True),
    Scenario(_ONE_SIDED, 20_261_220, _make_one_sided, site=NAME, packed=True),
    Scenario(_MIDSTREAM, 20_261_221, _make_midstream, site=NAME, packed=True),
    Scenario(_TOLD, 20_261_222, _make_told, site=NAME, packed=True),
    Scenario(_COPIES, 20_261_223, _make_copies, site=NAME, packed=True),
)
