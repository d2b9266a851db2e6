"""Two stations and a wire: what the lab's blocks say, as a capture that the sensor or Wireshark can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND, Clock
from pcaps.lab.synth.dialogue import End, Line, Side, talk
from pcaps.lab.synth.network import Captured, Host, Impairment, Network
from pcaps.lab.synth.pcapng import Interface, encode
from pcaps.lab.synth.span import frames_of, in_order
from sensors.engine import decode

START_NS = 1_794_826_800 * SECOND
CLIENT_IP, SERVER_IP = "10.25.0.20", "10.20.0.31"


@dataclass(frozen=True)
class Said:
    """One connection: its server's port and its lines."""

    port: int
    lines: Sequence[Line]
    end: End = End.CLIENT_CLOSES


def network(loss: float = 0.0, seed: int = 1) -> tuple[Network, Host, Host]:
    """A network, a client and a server."""
    bad = Impairment("near", "far", 0, 2 * START_NS, 0, 0, loss)
    made = Network(Clock(START_NS), seed, (bad,) if loss else ())
    hosts = (
        Host(
            name,
            zone,
            ip,
            f"00:00:5e:00:53:{number:02x}",
            "00:00:5e:00:53:e0",
            300 * MICROSECOND,
            0,
            40 * MILLISECOND,
            True,
            7,
        )
        for number, (name, zone, ip) in enumerate(
            (("client", "near", CLIENT_IP), ("server", "far", SERVER_IP)), 1
        )
    )
    client, server = hosts
    return made, client, server


def captured(*said: Said) -> list[Captured]:
    """What the tap sees of these connections."""
    wire, client, server = network()
    for number, one in enumerate(said):
        ends = (client, 50_000 + number, server, one.port)
        wire.clock.start(talk(wire, ends, one.lines, start_ns=START_NS + number * SECOND, end=one.end))
    wire.clock.run()
    return in_order(wire.captured)


def capture(folder: Path, *said: Said) -> Path:
    """The same as a file."""
    path = folder / "said.pcapng"
    frames = frames_of(captured(*said))
    path.write_bytes(encode(frames, (Interface("span0", ""),), comment=""))
    return path


def rows(capture: Path) -> dict[str, pl.DataFrame]:
    """What the sensor makes of it, by table; words as text."""
    parts: dict[str, list[pl.DataFrame]] = {}
    with decode(capture) as run:
        for batches in run:
            for name, table in batches.items():
                parts.setdefault(name, []).append(pl.DataFrame(table))
    return {
        name: pl.concat(frames).with_columns(pl.col(pl.Categorical).cast(pl.String))
        for name, frames in parts.items()
    }


def spoken_by(side: Side, lines: Sequence[Line]) -> bytes:
    """All that one side says."""
    return b"".join(line.data for line in lines if line.side is side)
