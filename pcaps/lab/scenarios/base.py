"""What a synthetic capture is made of, and the figures that all of them state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from pcaps import Planted
from pcaps.lab.notes import Notes, Table, moment
from pcaps.lab.site import MINUTE_NS, Site
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.network import Captured
from pcaps.lab.synth.pcapng import Frame, Interface
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
    #: What captured them; the SPAN port of the site's router where left out.
    interfaces: Sequence[Interface] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A capture that a seed makes."""

    name: str
    seed: int
    make: Callable[[int], Made]
    #: The site's name, for people.
    site: str = "Mine A"
    #: Packed with zstd: for the large ones.
    packed: bool = False
    #: Kept in the repository; what is not is made anew where it is needed, by its name.
    committed: bool = True


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
    site: Site, pairs: Iterable[tuple[str, str]], stretches: Iterable[tuple[int, int]]
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


def conversations(site: Site, captured: Sequence[Captured]) -> list[Table]:
    """What a perfect observer at the tap counts in each TCP conversation."""
    return [
        {
            "client": site.hosts[client].ip,
            "server": site.hosts[server].ip,
            **asdict(seen),
        }
        for (client, server), seen in sorted(observe(captured, site.network).items())
    ]


def modbus_figures(site: Site) -> Table:
    """How many Modbus requests were asked and answered, as the stations count."""
    return {
        "modbus_requests": sum(client.asked for client in site.clients),
        "modbus_answers": sum(client.answered for client in site.clients),
    }


def planted(
    site: Site,
    captured: Iterable[Captured],
    check: str,
    src: str,
    dst: str,
    *,
    service: str,
    count: int,
    because: str,
    seconds: tuple[int, int] | None = None,
) -> Planted:
    """What station `src` did to station `dst` that `check` is there to see.

    First and last are those of the frames between the two in these seconds of the capture (in all of it if left
    out). Raises ValueError where there is none.
    """
    first_s, last_s = seconds or (0, (site.end_ns - site.start_ns) // SECOND)
    times = [
        one.ts_ns
        for one in captured
        if one.receiver is not None
        and {one.sender.name, one.receiver.name} == {src, dst}
        and site.start_ns + first_s * SECOND <= one.ts_ns < site.start_ns + last_s * SECOND
    ]
    if not times:
        raise ValueError(
            f"{check}: {src} and {dst} say nothing to each other in seconds {first_s} to {last_s}"
        )
    return Planted(
        id=check,
        src_ip=site.hosts[src].ip,
        dst_ip=site.hosts[dst].ip,
        service=service,
        first=moment(min(times)),
        last=moment(max(times)),
        count=count,
        because=because,
    )
