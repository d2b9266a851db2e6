"""Dropbear, the SSH of small devices: its server, and its client."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pcaps.lab.plant.stations.report import READY, Counts, Line, say
from pcaps.lab.plant.stations.tools.room import ROOM, do, own_room, running

#: A few lines each way, as somebody who looks around.
_COMMAND: Final = "for i in 1 2 3; do uptime; sleep 0.3; done"


def serve(address: str, port: int, folder: str) -> None:
    """The server until it is stopped; it lets in who has the plant's key."""
    with own_room():
        do("dropbearkey", "-t", "ed25519", "-f", str(ROOM / "host"))
        # It looks for keys in root's home, and there only.
        do("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", "/root")
        Path("/root/.ssh").mkdir(mode=0o700)
        Path("/root/.ssh/authorized_keys").write_bytes((Path(folder) / "user.pub").read_bytes())
        command = ("dropbear", "-F", "-E", "-s", "-r", str(ROOM / "host"), "-p", f"{address}:{port}")
        with running(*command) as server:
            server.listens(port)
            say(READY)
            server.stay()


def visit(server: str, port: int, folder: str) -> list[Line]:
    """Log in and look around."""
    counts = Counts("ssh", server)
    with own_room():
        do("dropbearconvert", "openssh", "dropbear", str(Path(folder) / "user"), str(ROOM / "user"))
        counts.asked("login")
        do(
            *("dbclient", "-y", "-y", "-T", "-i", str(ROOM / "user"), "-p", str(port)),
            *(f"root@{server}", _COMMAND),
        )
        counts.answered("login")
    return counts.lines()
