"""A story of pump station B: what all of them state, so that each file tells only its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from pcaps import ExpectedFinding, Planted
from pcaps.lab.notes import Notes, Table, Value, moment
from pcaps.lab.pump_b import POLICY, PumpB
from pcaps.lab.scenarios.base import Made, conversations, origin, planted, round_trips
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.modbus import PORT
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame, Interface
from pcaps.lab.synth.span import frames_of, in_order
from pcaps.lab.synth.tally import Said


@dataclass(frozen=True, slots=True)
class Story:
    """What is told of a capture."""

    name: str
    seed: int
    title: str
    text: str
    planted: Sequence[Planted] = ()
    expected: Sequence[ExpectedFinding] = ()
    twin: str = ""
    twin_of: str = ""
    #: The capture that teaches the baseline which this one is held against.
    baseline: str = ""
    #: Figures beside those that every story has, or in their place.
    truth: Mapping[str, Value] = field(default_factory=dict)
    truth_lists: Mapping[str, Sequence[Table]] = field(default_factory=dict)
    #: How much the tap saw of a client's Modbus request and its answer, where that is not all.
    seen: Callable[[str, Said], Said] = lambda _, one: one


@dataclass(frozen=True, slots=True)
class Tap:
    """Tells of what was planted when and how often, as the tap saw it."""

    site: PumpB
    captured: Sequence[Captured]

    def saw(
        self,
        check: str,
        src: str,
        dst: str,
        count: int,
        because: str,
        *,
        service: str = "modbus",
        seconds: tuple[int, int] | None = None,
    ) -> Planted:
        """What station `src` did to station `dst` that `check` is there to see, in these seconds of the capture."""
        return planted(
            self.site,
            self.captured,
            check,
            src,
            dst,
            service=service,
            count=count,
            because=because,
            seconds=seconds,
        )

    def sent(
        self,
        check: str,
        src: str,
        dst_ip: str,
        count: int,
        because: str,
        *,
        seconds: tuple[int, int],
        service: str = "",
    ) -> Planted:
        """What station `src` sent in these seconds of the capture, to whomever, that `check` is there to see."""
        first_ns, last_ns = (self.site.at(second) for second in seconds)
        times = [
            one.ts_ns for one in self.captured if one.sender.name == src and first_ns <= one.ts_ns < last_ns
        ]
        src_ip = self.site.hosts[src].ip
        return Planted(check, src_ip, dst_ip, service, moment(min(times)), moment(max(times)), count, because)

    def appeared(self, station: str) -> Planted:
        """A station that nobody declared is there."""
        whole = (0, (self.site.end_ns - self.site.start_ns) // SECOND)
        return self.sent("SEG-09", station, "", 1, "nobody declared this device", seconds=whole)


def ran(site: PumpB) -> list[Captured]:
    """Let it all happen; what the tap saw, in order."""
    site.run()
    return in_order(site.network.captured)


def told(
    site: PumpB,
    captured: Sequence[Captured],
    story: Story,
    *,
    frames: Sequence[Frame] | None = None,
    interfaces: Sequence[Interface] = (),
) -> Made:
    """The capture with its notes; `frames` where they are not just what was captured."""
    operations = site.operations(story.seen)
    minutes = (site.end_ns - site.start_ns) // (60 * SECOND)
    figures: dict[str, Value] = {
        "modbus_requests": sum(one.asked for one in operations),
        "modbus_answers": sum(one.answered for one in operations),
        "dropped_segments": 0,
        "removed_frames": 0,
        "span_duplicates": 0,
    }
    lists: dict[str, Sequence[Table]] = {
        "round_trip": round_trips(site, (("hmi2", "pump1"), ("hmi2", "pump2")), ((0, minutes),)),
        "conversation": conversations(site, captured),
        "operation": [asdict(one) for one in operations],
    }
    notes = Notes(
        title=story.title,
        story=story.text,
        origin=origin(story.name, story.seed),
        policy=POLICY,
        truth={**figures, **story.truth},
        truth_lists={**lists, **story.truth_lists},
        planted=story.planted,
        expected=story.expected,
        twin=story.twin,
        twin_of=story.twin_of,
        baseline=story.baseline,
    )
    return Made(frames_of(captured) if frames is None else frames, notes, interfaces)


def expect(
    site: PumpB,
    kind: str,
    src: str,
    dst: str,
    *,
    conduit: str,
    severity: int,
    because: str,
    service: str = "modbus",
    port: int = PORT,
    exactly: int = 0,
) -> ExpectedFinding:
    """A finding about two stations; it counts `exactly` so many operations, or sessions' minutes.

    `src` is empty where the network does not show who it is, `dst` where there are many.
    """
    return ExpectedFinding(
        kind=kind,
        src_ip=site.hosts[src].ip if src else "",
        dst_ip=site.hosts[dst].ip if dst else "",
        dst_port=port,
        conduit=conduit,
        service=service,
        severity=severity,
        count=exactly or 1,
        count_is="exactly" if exactly else "at least",
        because=because,
    )


def of_the_sensor(seen: Planted) -> Planted:
    """What happened to the sensor, whoever's conversation shows it."""
    return replace(seen, src_ip="", dst_ip="", service="")


def poorly_seen(exactly: int) -> ExpectedFinding:
    """The finding that the sensor saw so many minutes, or stretches of them, in part or not at all."""
    return ExpectedFinding(
        kind="COV-01",
        src_ip="",
        dst_ip="",
        dst_port=0,
        conduit="",
        service="",
        severity=3,
        count=exactly,
        count_is="exactly",
        because="medium; it is of the sensor",
    )


def undeclared(site: PumpB, station: str) -> ExpectedFinding:
    """The finding that a station is there which nobody declared."""
    return ExpectedFinding(
        kind="SEG-09",
        src_ip=site.hosts[station].ip,
        dst_ip="",
        dst_port=0,
        conduit="",
        service="",
        severity=2,
        count=1,
        count_is="exactly",
        because="low; it is a device, whoever it talks with",
    )
