"""What two programs said to each other, as a capture: for our engine and for Wireshark's."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from tests.sensors.talks import Rows, decoded, write_pcap
from tests.support.pcap_bytes import ACK, FIN, PSH, SYN, tcp_frame

CLIENT: Final = "10.9.0.5"
SERVER: Final = "10.9.0.9"

#: As Ethernet carries it.
SEGMENT_BYTES: Final = 1_400

#: Who speaks, and what.
Turn = tuple[Literal["client", "server"], bytes]


def frames(turns: Iterable[Turn], port: int, *, handshake: bool = True, sport: int = 40_000) -> list[bytes]:
    """A TCP connection in which the turns are said one after the other."""
    ends = {"client": (CLIENT, SERVER, sport, port), "server": (SERVER, CLIENT, port, sport)}
    following = {"client": 1_000, "server": 5_000}
    out: list[bytes] = []

    def send(side: str, flags: int, payload: bytes = b"") -> None:
        other = "server" if side == "client" else "client"
        acknowledged = following[other] if flags & ACK else 0
        number = following[side]
        out.append(
            tcp_frame(
                *ends[side],
                seq=number,
                ack=acknowledged,
                flags=flags,
                payload=payload,
                ip_id=len(out) % 65_536,
            )
        )
        following[side] += len(payload) + bool(flags & (SYN | FIN))

    if handshake:
        send("client", SYN)
        send("server", SYN | ACK)
        send("client", ACK)
    for side, said in turns:
        for start in range(0, len(said), SEGMENT_BYTES):
            send(side, ACK | PSH, said[start : start + SEGMENT_BYTES])
    if handshake:
        send("client", FIN | ACK)
        send("server", FIN | ACK)
        send("client", ACK)
    return out


def capture(file: Path, turns: Sequence[Turn], port: int, **how: Any) -> Path:
    """The conversation as a capture file."""
    return write_pcap(file, frames(turns, port, **how))


def read(file: Path) -> Rows:
    """What our engine makes of it."""
    return decoded(file)


def only(rows: Rows, table: str) -> dict[str, Any]:
    """The one row of a table."""
    found = rows.get(table, [])
    assert len(found) == 1, found
    return found[0]


def tshark(
    file: Path, display_filter: str, *fields: str, decode_as: str | Sequence[str] = ()
) -> list[list[str]]:
    """Wireshark's values of the fields, a list a frame that the filter takes; skips where it is not installed."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    command = [program, "-r", str(file), "-Y", display_filter, "-T", "fields", "-E", "occurrence=a"]
    for field in fields:
        command += ["-e", field]
    for told in [decode_as] if isinstance(decode_as, str) else decode_as:
        command += ["-d", told]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when somebody listens on the port of loopback."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")
