"""VNC by two servers, TigerVNC and x11vnc, and TigerVNC's viewer."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pcaps.lab.plant.stations.names import ACCOUNT, DESKTOP_PASSWORD, SCREEN_PASSWORD
from pcaps.lab.plant.stations.report import READY, Counts, Line, say
from pcaps.lab.plant.stations.tools.room import do, own_room, running, screen, secret_file

#: What the desktop is called: a server's own idea names the machine.
DESKTOP: Final = "mill screens"


def password_file() -> Path:
    """The screen's password as both sides keep it."""
    made = subprocess.run(
        ["tigervncpasswd", "-f"], input=SCREEN_PASSWORD.encode(), capture_output=True, check=True
    )
    return secret_file("screen-password", made.stdout)


def desktop(address: str, port: int, security: str, display: int) -> list[str]:
    """TigerVNC's server: a screen and its service in one."""
    return [
        *("Xvnc", f":{display}", "-interface", address, "-rfbport", str(port), "-desktop", DESKTOP),
        *(
            "-geometry",
            "640x480",
            "-depth",
            "16",
            "-SecurityTypes",
            security,
            "-rfbauth",
            str(password_file()),
        ),
        *("-AlwaysShared", "-UseIPv6=0", "-PAMService", "other", "-PlainUsers", ACCOUNT),
    ]


def serve(address: str, port: int, security: str, display: int) -> None:
    """TigerVNC, until it is stopped."""
    with own_room():
        # Whoever knows a name gets in: the lab has no accounts of its own on this machine.
        permit = secret_file("pam", ["auth required pam_permit.so", "account required pam_permit.so"])
        do("mount", "--bind", str(permit), "/etc/pam.d/other")
        with running(*desktop(address, port, security, display)) as server:
            server.listens(port)
            say(READY)
            server.stay()


def serve_screen(address: str, port: int, display: int) -> None:
    """x11vnc: shows a screen that is there already."""
    with own_room(), screen(display) as shown:
        command = (
            *("x11vnc", "-display", shown, "-listen", address, "-rfbport", str(port), "-desktop", DESKTOP),
            *("-rfbauth", str(password_file()), "-forever", "-shared", "-noipv6", "-no6", "-nolookup"),
        )
        with running(*command) as server:
            server.listens(port)
            say(READY)
            server.stay()


def view(server: str, port: int, security: str, seconds: float, display: int) -> list[Line]:
    """Look at a desktop for a while."""
    counts = Counts("vnc", server)
    with own_room(), ExitStack() as stack:
        shown = stack.enter_context(screen(display))
        credentials = {"VNC_USERNAME": ACCOUNT, "VNC_PASSWORD": DESKTOP_PASSWORD}
        known = () if security.endswith("Plain") else ("-passwd", str(password_file()))
        command = (
            *("xtigervncviewer", "-display", shown, "-SecurityTypes", security, *known),
            *("-AlertOnFatalError=0", "-ReconnectOnError=0", "-Shared", f"{server}::{port}"),
        )
        viewer = stack.enter_context(
            running(*command, environment={"DISPLAY": shown, **(credentials if not known else {})})
        )
        counts.asked("session")
        viewer.use(seconds)
        counts.answered("session")
    return counts.lines()
