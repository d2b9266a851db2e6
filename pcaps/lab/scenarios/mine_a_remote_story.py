"""A story of Mine A with remote access: what all of them state, so that each file tells only its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pcaps import ExpectedFinding, Planted
from pcaps.lab.mine_a_remote import POLICY, MineARemote
from pcaps.lab.notes import Notes, Table, Value, moment
from pcaps.lab.scenarios.base import Made, conversations, modbus_figures, origin, planted, round_trips
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.span import frames_of, in_order


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
    #: Passwords that cross in clear: they must be in nothing that comes out.
    secrets: Sequence[str] = ()
    #: Figures beside those that every story has.
    truth: Mapping[str, Value] = field(default_factory=dict)
    #: Pairs of stations whose true round trip is stated.
    paths: Iterable[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Tap:
    """Tells of what was planted when and how often, as the tap saw it."""

    site: MineARemote
    captured: Sequence[Captured]

    def saw(
        self,
        check: str,
        src: str,
        dst: str,
        count: int,
        because: str,
        *,
        service: str,
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


def ran(site: MineARemote) -> list[Captured]:
    """Let it all happen; what the tap saw, in order."""
    site.run()
    return in_order(site.network.captured)


def told(site: MineARemote, captured: Sequence[Captured], story: Story) -> Made:
    """The capture with its notes."""
    minutes = (site.end_ns - site.start_ns) // 60_000_000_000
    figures: dict[str, Value] = {
        **modbus_figures(site),
        "dropped_segments": 0,
        "removed_frames": 0,
        "span_duplicates": 0,
        **story.truth,
    }
    if story.secrets:
        figures["planted_secrets"] = list(story.secrets)
    lists: dict[str, Sequence[Table]] = {
        "round_trip": round_trips(site, story.paths, ((0, minutes),)),
        "conversation": conversations(site, captured),
        "remote_session": [
            {
                "client": one.client,
                "server": one.server,
                "service": one.service,
                "first": moment(one.first_ns),
                "last": moment(one.last_ns),
            }
            for one in site.sessions
        ],
        "opcua_service": [
            {"client": client, "server": server, "service": service, "asked": asked}
            for (client, server, service), asked in sorted(site.services.items())
        ],
        "mqtt_packet": [{"kind": kind, "sent": sent} for kind, sent in sorted(site.packets.items())],
    }
    notes = Notes(
        title=story.title,
        story=story.text,
        origin={
            **origin(story.name, story.seed),
            "tools": ["scapy", "pymodbus", "asyncua", "protobuf", "cryptography"],
        },
        policy=POLICY,
        truth=figures,
        truth_lists=lists,
        planted=story.planted,
        expected=story.expected,
        twin=story.twin,
        twin_of=story.twin_of,
        baseline=story.baseline,
    )
    return Made(frames_of(captured), notes)


def expect(
    site: MineARemote,
    kind: str,
    src: str,
    dst: str,
    port: int,
    service: str,
    *,
    severity: int,
    because: str,
    conduit: str = "",
    exactly: int = 0,
) -> ExpectedFinding:
    """A finding of today's checks about two stations; `exactly` so many operations, or a session's minutes."""
    return ExpectedFinding(
        kind=kind,
        src_ip=site.hosts[src].ip,
        dst_ip=site.hosts[dst].ip,
        dst_port=port,
        conduit=conduit,
        service=service,
        severity=severity,
        count=exactly or 1,
        count_is="exactly" if exactly else "at least",
        because=because,
    )
