"""Remote access by the tools themselves, each the way that the policy has for it and past that way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pcaps.lab.plant.layout import SSH_PORT, address
from pcaps.lab.plant.plays.base import SSH, Scenario, Task, Tasks
from pcaps.lab.plant.stations.names import KEYS

_SSH: Final = ("ssh",)

#: Usual ports, and others: a tool is known by what it says, wherever it listens.
VNC_PORTS: Final = (5900, 20590, 8081)
SCREEN_PORT: Final = 6543
RDP_PORTS: Final = (3389, 13390, 8443)
OPENVPN_PORTS: Final = (1194, 8443, 5353, 443)
WIREGUARD_PORTS: Final = (51820, 4433)
DROPBEAR_PORT: Final = 2222

_STAY_S: Final = 2.0
#: Between the beginnings of two visits: a tool that draws needs a while to come up.
_STEP_S: Final = 4.0


def _serve(program: str, station: str, **options: Any) -> Task:
    return Task(station, f"{program}-server", options)


def _visits(program: str, station: str, server: str, each: Sequence[dict[str, Any]]) -> list[Task]:
    """One visit after the other; `each` are their options. The first waits for who may have to come before."""
    return [
        Task(station, program, {"server": address(server), **options}, 1.5 + number * _STEP_S)
        for number, options in enumerate(each)
    ]


def _on_the_jump_host(seconds: float) -> Task:
    """The vendor is on the jump host while the rest happens."""
    command = f"for i in $(seq {int(seconds - 1)}); do date +%S; sleep 1; done"
    return Task("vendor1", SSH, {"host": "jump1", "through": "", "command": command})


_VNC: Final = tuple(zip(VNC_PORTS, ("VncAuth", "TLSVnc", "Plain"), strict=True))
_VNC_SERVERS: Final = (
    *(
        _serve("vnc", "ews1", address=address("ews1"), port=port, security=security, display=display)
        for display, (port, security) in enumerate(_VNC, 1)
    ),
    _serve("x11vnc", "ews1", address=address("ews1"), port=SCREEN_PORT, display=9),
)


def _vnc(station: str) -> list[Task]:
    kinds = (*_VNC, (SCREEN_PORT, "VncAuth"))
    each = [
        {"port": port, "security": kind, "seconds": _STAY_S, "display": display}
        for display, (port, kind) in enumerate(kinds, 20)
    ]
    return _visits("vnc-viewer", station, "ews1", each)


_RDP_SERVERS: Final = tuple(
    _serve("rdp", "ews1", address=address("ews1"), port=port, name="ews1", security=security, display=display)
    for display, (port, security) in enumerate(zip(RDP_PORTS, ("tls", "negotiate", "rdp"), strict=True), 11)
)


def _rdp(station: str) -> list[Task]:
    usual, other, old = RDP_PORTS
    kinds = (
        (usual, "xfreerdp", "tls"),
        (other, "xfreerdp", "tls"),
        (other, "rdesktop", ""),
        (old, "rdesktop", ""),
    )
    each = [
        {
            "port": port,
            "name": station,
            "seconds": _STAY_S,
            "program": program,
            "security": security,
            "display": display,
        }
        for display, (port, program, security) in enumerate(kinds, 30)
    ]
    return _visits("rdp-client", station, "ews1", each)


#: Transport and how control packets are protected, by port.
_OPENVPN: Final = tuple(
    {"port": port, "transport": transport, "guard": guard, "folder": KEYS, "number": number}
    for number, (port, transport, guard) in enumerate(
        zip(
            OPENVPN_PORTS,
            ("udp", "tcp", "udp", "tcp"),
            ("none", "tls-auth", "tls-crypt", "tls-crypt-v2"),
            strict=True,
        )
    )
)


def _openvpn_servers(station: str) -> tuple[Task, ...]:
    return tuple(_serve("openvpn", station, address=address(station), **one) for one in _OPENVPN)


def _openvpn(station: str, server: str) -> list[Task]:
    return _visits("openvpn-client", station, server, [{**one, "seconds": 1.0} for one in _OPENVPN])


_WIREGUARD: Final = tuple(
    {"port": port, "folder": KEYS, "number": number} for number, port in enumerate(WIREGUARD_PORTS)
)


def _wireguard_servers(station: str) -> tuple[Task, ...]:
    return tuple(_serve("wireguard", station, **one) for one in _WIREGUARD)


def _wireguard(station: str, server: str) -> list[Task]:
    return _visits("wireguard-client", station, server, [{**one, "seconds": 1.0} for one in _WIREGUARD])


_DROPBEAR_SERVERS: Final = (
    _serve("dropbear", "ews1", address=address("ews1"), port=DROPBEAR_PORT, folder=KEYS),
)


def _dropbear(station: str) -> list[Task]:
    """Dropbear's client to its own server and to OpenSSH; then OpenSSH's client to Dropbear."""
    each = [{"port": port, "folder": KEYS} for port in (DROPBEAR_PORT, SSH_PORT)]
    openssh = {"host": "ews1", "through": "", "command": "uptime; sleep 0.3; uptime", "port": DROPBEAR_PORT}
    return [
        *_visits("dropbear-client", station, "ews1", each),
        Task(station, SSH, openssh, 1.5 + 2 * _STEP_S),
    ]


def _past(tasks: Sequence[Task]) -> Tasks:
    return lambda _: tasks


def _through(tasks: Sequence[Task]) -> Tasks:
    return lambda seconds: [_on_the_jump_host(seconds), *tasks]


TOOLS: Final = (
    Scenario(
        "vnc-past",
        "VNC past the jump host",
        """The vendor's laptop looks at screens of the engineering station, past the jump host: TigerVNC on the usual
        port, within TLS on another one, with name and password in clear on a third, and x11vnc.""",
        _SSH,
        _past(_vnc("vendor1")),
        18.0,
        servers=_VNC_SERVERS,
    ),
    Scenario(
        "vnc-jump",
        "VNC from the jump host",
        """The vendor logs in to the jump host, in the agreed hours, and looks from there at the engineering station's
        screens, by TigerVNC and x11vnc, on the same ports.""",
        _SSH,
        _through(_vnc("jump1")),
        18.0,
        servers=_VNC_SERVERS,
    ),
    Scenario(
        "rdp-past",
        "Remote Desktop past the jump host",
        """The vendor's laptop opens desktops on the engineering station, past the jump host: FreeRDP and rdesktop to
        xrdp, within TLS and without, on the usual port and on another one.""",
        _SSH,
        _past(_rdp("vendor1")),
        18.0,
        servers=_RDP_SERVERS,
    ),
    Scenario(
        "rdp-jump",
        "Remote Desktop from the jump host",
        """The vendor logs in to the jump host, in the agreed hours, and opens from there desktops on the engineering
        station, with the same programs, on the same ports.""",
        _SSH,
        _through(_rdp("jump1")),
        18.0,
        servers=_RDP_SERVERS,
    ),
    Scenario(
        "rdp-night",
        "Remote Desktop from the jump host, on a Saturday",
        """The vendor does as agreed, through the jump host, but on a Saturday, outside the agreed hours.""",
        _SSH,
        _through(_rdp("jump1")),
        18.0,
        servers=_RDP_SERVERS,
    ),
    Scenario(
        "openvpn-tunnel",
        "OpenVPN tunnels that nobody allowed",
        """The engineering station opens tunnels to the vendor's laptop: OpenVPN over UDP and TCP, with plain control
        packets, with tls-auth, tls-crypt and tls-crypt-v2, on the usual port and on ports of others.""",
        (),
        _past(_openvpn("ews1", "vendor1")),
        18.0,
        servers=_openvpn_servers("vendor1"),
    ),
    Scenario(
        "openvpn-agreed",
        "OpenVPN tunnels to the jump host",
        """The vendor's laptop opens tunnels to the jump host, which a rule allows: the same four kinds of OpenVPN on
        the same ports.""",
        (),
        _past(_openvpn("vendor1", "jump1")),
        18.0,
        servers=_openvpn_servers("jump1"),
    ),
    Scenario(
        "wireguard-tunnel",
        "WireGuard tunnels that nobody allowed",
        """The engineering station opens two WireGuard tunnels to the vendor's laptop, one on the usual port.""",
        (),
        _past(_wireguard("ews1", "vendor1")),
        9.0,
        servers=_wireguard_servers("vendor1"),
    ),
    Scenario(
        "wireguard-agreed",
        "WireGuard tunnels to the jump host",
        """The vendor's laptop opens two WireGuard tunnels to the jump host, which a rule allows.""",
        (),
        _past(_wireguard("vendor1", "jump1")),
        9.0,
        servers=_wireguard_servers("jump1"),
    ),
    Scenario(
        "dropbear-past",
        "Dropbear's SSH past the jump host",
        """The vendor's laptop logs in to the engineering station, past the jump host: Dropbear's client to Dropbear
        on an odd port and to OpenSSH, and OpenSSH's client to Dropbear.""",
        _SSH,
        _past(_dropbear("vendor1")),
        14.0,
        servers=_DROPBEAR_SERVERS,
    ),
    Scenario(
        "dropbear-jump",
        "Dropbear's SSH from the jump host",
        """The vendor logs in to the jump host, in the agreed hours, and from there to the engineering station: with
        the same programs, on the same ports.""",
        _SSH,
        _through(_dropbear("jump1")),
        14.0,
        servers=_DROPBEAR_SERVERS,
    ),
)
