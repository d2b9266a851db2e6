"""What a synthetic capture is made of, and the figures that all of them state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from pcaps.lab.mine_a import MINUTE_NS, MineA
from pcaps.lab.notes import Notes, Table, moment
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame
from pcaps.lab.synth.truth import observe

POLICY: Final = "policies/mine-a.yaml"
TAP: Final = (
    "SPAN of every port of the router between the zones, ingress only: each frame as its sender sent it"
)


@dataclass(frozen=True, slots=True)
class Made:
    """The frames of a capture, and what is true of them."""

    frames: Sequence[Frame]
    notes: Notes


@dataclass(frozen=True, slots=True)
class Scenario:
    """A capture that a seed makes."""

    name: str
    seed: int
    make: Callable[[int], Made]


def origin(name: str, seed: int) -> Table:
    """Where a synthetic capture comes from."""
    return {
        "kind": "synthetic",
        "how": "simulated clock, one seed: the same bytes on every machine",
        "command": f"python -m pcaps.lab make {name}",
        "seed": seed,
        "tools": ["scapy", "pymodbus"],
        "tap": TAP,
    }


def round_trips(
    site: MineA, pairs: Iterable[tuple[str, str]], stretches: Iterable[tuple[int, int]]
) -> list[Table]:
    """The true round trip of conversations in stretches of minutes, jitter left out."""
    return [
        {
            "client": site.hosts[client].ip,
            "server": site.hosts[server].ip,
            "from": moment(site.start_ns + first * MINUTE_NS),
            "to": moment(site.start_ns + last * MINUTE_NS),
            "rtt_ns": site.network.round_trip_ns(
                site.hosts[client], site.hosts[server], site.start_ns + first * MINUTE_NS
            ),
        }
        for first, last in stretches
        for client, server in pairs
    ]


def conversations(site: MineA, captured: Sequence[Captured]) -> list[Table]:
    """What a perfect observer at the tap counts in each TCP conversation."""
    return [
        {
            "client": site.hosts[client].ip,
            "server": site.hosts[server].ip,
            **asdict(seen),
        }
        for (client, server), seen in sorted(observe(captured, site.network).items())
    ]


def modbus_figures(site: MineA) -> Table:
    """How many Modbus requests were asked and answered, as the stations count."""
    return {
        "modbus_requests": sum(client.asked for client in site.clients),
        "modbus_answers": sum(client.answered for client in site.clients),
    }
