"""Remote Desktop: xrdp in front of a desktop, FreeRDP and rdesktop as its clients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from pcaps.lab.plant.stations.names import ACCOUNT, DESKTOP_PASSWORD, SCREEN_PASSWORD
from pcaps.lab.plant.stations.report import READY, Counts, Line, say
from pcaps.lab.plant.stations.tools.certificates import certificate
from pcaps.lab.plant.stations.tools.room import ROOM, do, own_room, running, screen, secret_file
from pcaps.lab.plant.stations.tools.vnc import desktop

#: Where desktops are that xrdp shows, on its own machine only: so much and the display's number.
_INSIDE: Final = 5900
#: On a screen without a window manager rdesktop and xrdp answer each other without end: what is sent until the desktop
#: is there, and some of that.
_ENOUGH_PACKETS: Final = 90
#: rdesktop asks whether the certificate will do.
_TRUST: Final = b"yes\n"
_XRDP_KEYS: Final = "/etc/xrdp/rsakeys.ini"


def serve(address: str, port: int, name: str, security: str, display: int) -> None:
    """Xrdp until it is stopped; whoever comes sees the desktop, without a session manager."""
    with own_room(), ExitStack() as stack:
        inside = _INSIDE + display
        made, key = certificate(ROOM, name)
        # Debian's package makes a key for this machine; the recording shall show one of its own.
        do("xrdp-keygen", "xrdp", str(ROOM / "rsakeys.ini"))
        do("mount", "--bind", str(ROOM / "rsakeys.ini"), _XRDP_KEYS)
        settings = secret_file(
            "xrdp.ini",
            [
                *("[Globals]", "ini_version=1", "fork=true", f"port=tcp://{address}:{port}"),
                *("tcp_nodelay=true", "tcp_keepalive=false", f"security_layer={security}"),
                *("crypt_level=high", f"certificate={made}", f"key_file={key}"),
                *("ssl_protocols=TLSv1.2, TLSv1.3", "autorun=mill", "allow_channels=true"),
                *("max_bpp=16", "new_cursors=false", "bitmap_compression=true"),
                *("[Logging]", f"LogFile={ROOM}/xrdp.txt", "LogLevel=INFO", "EnableSyslog=false"),
                *("[mill]", "name=mill", "lib=libvnc.so", "username=na", f"password={SCREEN_PASSWORD}"),
                *("ip=127.0.0.1", f"port={inside}"),
            ],
        )
        shown = stack.enter_context(running(*desktop("127.0.0.1", inside, "VncAuth", display)))
        shown.listens(inside)
        server = stack.enter_context(running("xrdp", "--nodaemon", "--config", str(settings)))
        server.listens(port)
        say(READY)
        server.stay()


def visit(
    server: str, port: int, name: str, seconds: float, program: str, security: str, display: int
) -> list[Line]:
    """Log in to a desktop and look at it for a while."""
    counts = Counts("rdp", server)
    with own_room(), screen(display) as shown:
        commands = {"xfreerdp": _freerdp, "rdesktop": _rdesktop}
        command = commands[program](f"{server}:{port}", name, security)
        with running(*command, environment={"DISPLAY": shown}, answer=_TRUST) as client:
            counts.asked("session")
            if program == "rdesktop":
                client.hold_after(_ENOUGH_PACKETS)
            client.use(seconds)
            counts.answered("session")
    return counts.lines()


def _freerdp(server: str, name: str, security: str) -> Sequence[str]:
    return [
        *("xfreerdp", f"/v:{server}", f"/u:{ACCOUNT}", f"/p:{DESKTOP_PASSWORD}", "/cert:ignore"),
        *(
            f"/sec:{security}",
            f"/client-hostname:{name}",
            "/size:640x480",
            "/bpp:16",
            "-wallpaper",
            "-themes",
        ),
    ]


def _rdesktop(server: str, name: str, _: str) -> Sequence[str]:
    return [
        *("rdesktop", "-u", ACCOUNT, "-p", DESKTOP_PASSWORD, "-n", name, "-g", "640x480", "-a", "16"),
        server,
    ]
