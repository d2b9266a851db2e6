"""What the recordings of remote access tools must give, under which policy, and when they are to have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from pcaps import ExpectedFinding
from pcaps.lab.plant.layout import SSH_PORT, address
from pcaps.lab.plant.plays.tools import (
    DROPBEAR_PORT,
    OPENVPN_PORTS,
    RDP_PORTS,
    SCREEN_PORT,
    VNC_PORTS,
    WIREGUARD_PORTS,
)
from pcaps.lab.plant.stations.names import DESKTOP_PASSWORD


@dataclass(frozen=True, slots=True)
class Setting:
    """What goes with a recording besides what is played."""

    policy: str
    expected: Sequence[ExpectedFinding] = ()
    twin: str = ""
    twin_of: str = ""
    #: When it is to begin; none: when it was recorded.
    begins: datetime | None = None
    #: Passwords that cross in clear.
    secrets: Sequence[str] = ()


_POLICY: Final = "policies/lab-remote.yaml"
#: A Tuesday morning, in the vendor's hours, and a Saturday.
_TUESDAY: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
_SATURDAY: Final = datetime(2026, 11, 28, 9, tzinfo=UTC)

#: A severity, less one -> its name.
_BASE: Final = {4: "medium", 5: "high"}


#: Ports -> how many sessions there are on each.
_Ports = Mapping[int, int]


def _found(
    kind: str, client: str, server: str, service: str, ports: _Ports, severity: int, conduit: str = ""
) -> Sequence[ExpectedFinding]:
    """A finding for each port, of so many sessions."""
    return [
        ExpectedFinding(
            kind=kind,
            src_ip=address(client),
            dst_ip=address(server),
            dst_port=port,
            conduit=conduit,
            service=service,
            severity=severity,
            count=sessions,
            count_is="exactly",
            because=f"{_BASE[severity]}, one more for a session that was established",
        )
        for port, sessions in ports.items()
    ]


def _undeclared(
    client: str, server: str, service: str, ports: _Ports, kind: str
) -> Sequence[ExpectedFinding]:
    """Conversations that no conduit declares, and what is wrong with them besides."""
    ends = (client, server, service, ports)
    return [*_found("SEG-01", *ends, 4), *_found(kind, *ends, 5)]


def _bad(twin: str, expected: Sequence[ExpectedFinding], *, secrets: Sequence[str] = ()) -> Setting:
    return Setting(_POLICY, expected, twin=f"lab-{twin}", begins=_TUESDAY, secrets=secrets)


def _good(twin_of: str, *, secrets: Sequence[str] = ()) -> Setting:
    return Setting(_POLICY, twin_of=f"lab-{twin_of}", begins=_TUESDAY, secrets=secrets)


def _once(ports: Sequence[int]) -> _Ports:
    return dict.fromkeys(ports, 1)


#: FreeRDP and rdesktop come to the second of them.
_DESKTOPS: Final = {**_once(RDP_PORTS), RDP_PORTS[1]: 2}
#: Dropbear's client to its own server and to OpenSSH, and OpenSSH's client to Dropbear.
_SHELLS: Final = {DROPBEAR_PORT: 2, SSH_PORT: 1}

#: Scenario -> what goes with it.
TOOLS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "vnc-past": _bad(
            "vnc-jump",
            _undeclared("vendor1", "ews1", "vnc", _once((*VNC_PORTS, SCREEN_PORT)), "RA-01"),
            secrets=[DESKTOP_PASSWORD],
        ),
        "vnc-jump": _good("vnc-past", secrets=[DESKTOP_PASSWORD]),
        "rdp-past": _bad("rdp-jump", _undeclared("vendor1", "ews1", "rdp", _DESKTOPS, "RA-01")),
        "rdp-jump": _good("rdp-past"),
        "rdp-night": Setting(
            _POLICY,
            _found("RA-02", "jump1", "ews1", "rdp", _DESKTOPS, 5, "c-ops-room"),
            twin="lab-rdp-jump",
            begins=_SATURDAY,
        ),
        "dropbear-past": _bad("dropbear-jump", _undeclared("vendor1", "ews1", "ssh", _SHELLS, "RA-01")),
        "dropbear-jump": _good("dropbear-past"),
        "openvpn-tunnel": _bad(
            "openvpn-agreed", _undeclared("ews1", "vendor1", "openvpn", _once(OPENVPN_PORTS), "RA-07")
        ),
        "openvpn-agreed": _good("openvpn-tunnel"),
        "wireguard-tunnel": _bad(
            "wireguard-agreed", _undeclared("ews1", "vendor1", "wireguard", _once(WIREGUARD_PORTS), "RA-07")
        ),
        "wireguard-agreed": _good("wireguard-tunnel"),
    }
)
