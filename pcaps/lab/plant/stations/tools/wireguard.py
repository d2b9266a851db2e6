"""WireGuard in userspace, wireguard-go: the same on every machine, whatever its kernel has."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from pcaps.lab.plant.stations.report import READY, Counts, Line, say
from pcaps.lab.plant.stations.tools.room import Tool, do, own_room, reach, running

_INSIDE: Final = "10.98"
_KNOCKS: Final = 3
#: Whose keys there are; the folder holds both, so that each end knows the other's.
_ENDS: Final = ("server", "client")


def serve(port: int, folder: str, number: int) -> None:
    """The end that waits to be called, until it is stopped."""
    with own_room(), running("wireguard-go", "-f", f"wg{number}") as tunnel:
        _set_up(tunnel, number, "server", Path(folder), "listen-port", str(port))
        tunnel.listens(port, udp=True)
        say(READY)
        tunnel.stay()


def visit(server: str, port: int, folder: str, number: int, seconds: float) -> list[Line]:
    """Open a tunnel by asking whether the other end is there, stay a while."""
    counts = Counts("wireguard", server)
    with own_room(), running("wireguard-go", "-f", f"wg{number}") as tunnel:
        _set_up(tunnel, number, "client", Path(folder), peer=("endpoint", f"{server}:{port}"))
        counts.asked("session")
        reach(f"{_INSIDE}.{number}.1", _KNOCKS)
        counts.answered("session")
        tunnel.use(seconds)
    return counts.lines()


def _set_up(
    tunnel: Tool, number: int, own: str, folder: Path, *options: str, peer: tuple[str, ...] = ()
) -> None:
    device = f"wg{number}"
    other = next(end for end in _ENDS if end != own)
    # Its control socket is there when it can be asked.
    tunnel.exists(Path(f"/run/wireguard/{device}.sock"))
    private, _ = _keys(folder, own)
    _, public = _keys(folder, other)
    do(
        *("wg", "set", device, *options, "private-key", str(private)),
        *("peer", public, "allowed-ips", f"{_INSIDE}.{number}.0/24", *peer),
    )
    do("ip", "address", "add", f"{_INSIDE}.{number}.{1 + _ENDS.index(own)}/24", "dev", device)
    do("ip", "link", "set", device, "up")


def _keys(folder: Path, end: str) -> tuple[Path, str]:
    """An end's private key as a file, made where it is not there yet, and its public key."""
    private = folder / f"wireguard-{end}.key"
    if not private.exists():
        private.touch(mode=0o600)
        private.write_text(do("wg", "genkey"))
    public = subprocess.run(
        ["wg", "pubkey"], stdin=private.open("rb"), capture_output=True, text=True, check=True
    )
    return private, public.stdout.strip()
