"""What the plant's people do on purpose, with the times at which the tap saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pcaps import Planted
from pcaps.lab.notes import moment
from pcaps.lab.plant.captures import identified
from pcaps.lab.plant.layout import SSH_PORT, address
from pcaps.lab.plant.link.frames import ACK, SYN, TCP
from pcaps.lab.plant.plays.tools import (
    DROPBEAR_PORT,
    OPENVPN_PORTS,
    RDP_PORTS,
    SCREEN_PORT,
    VNC_PORTS,
    WIREGUARD_PORTS,
)
from pcaps.lab.plant.stations.names import OLD_PORT
from pcaps.lab.problems import LabError


@dataclass(frozen=True, slots=True)
class Deed:
    """What one station does to another that a check or detection is there to see."""

    id: str
    client: str
    server: str
    ports: Sequence[int]
    service: str
    #: What is counted, and why it matters.
    because: str


_PASSWORD: Final = ("ua-client1", "ua1", (OLD_PORT,), "opcua")
_SECOND: Final = ("office1", "broker1", (1883,), "mqtt")
_PAST: Final = ("vendor1", "plc1", (SSH_PORT,), "ssh")


def _skips(client: str, server: str, ports: Sequence[int], service: str) -> Sequence[Deed]:
    ends = (client, server, tuple(ports), service)
    return (
        Deed("SEG-01", *ends, "sessions; no conduit leads from the vendor to the control room"),
        Deed("RA-01", *ends, "sessions that skip the jump host"),
    )


def _tunnels(ports: Sequence[int], service: str, name: str) -> Sequence[Deed]:
    ends = ("ews1", "vendor1", tuple(ports), service)
    return (
        Deed("SEG-01", *ends, "tunnels; no conduit leads from the control room to the vendor"),
        Deed("RA-07", *ends, f"tunnels of {name}, which no rule allows there"),
    )


_TOOLS: Final[Mapping[str, Sequence[Deed]]] = MappingProxyType(
    {
        "vnc-past": _skips("vendor1", "ews1", (*VNC_PORTS, SCREEN_PORT), "vnc"),
        "rdp-past": _skips("vendor1", "ews1", RDP_PORTS, "rdp"),
        "rdp-night": (
            Deed("RA-02", "jump1", "ews1", RDP_PORTS, "rdp", "desktops on a Saturday, outside the window"),
        ),
        "dropbear-past": _skips("vendor1", "ews1", (DROPBEAR_PORT, SSH_PORT), "ssh"),
        "openvpn-tunnel": _tunnels(OPENVPN_PORTS, "openvpn", "OpenVPN"),
        "wireguard-tunnel": _tunnels(WIREGUARD_PORTS, "wireguard", "WireGuard"),
    }
)

#: Scenario -> its deeds.
DEEDS: Final[Mapping[str, Sequence[Deed]]] = MappingProxyType(
    {
        "opcua-password": (
            Deed("SEG-04", *_PASSWORD, "connections; the conduit allows OPC UA on another port"),
            Deed("O2", *_PASSWORD, "connections with a user name and password that everybody can read"),
        ),
        "mqtt-same-name": (
            Deed("SEG-01", *_SECOND, "connections; no conduit leads from the office to the broker"),
            Deed("Q5", *_SECOND, "connections under the edge station's identifier"),
        ),
        "ssh-past": (
            Deed("SEG-01", *_PAST, "connections; no conduit leads from the vendor to the controllers"),
            Deed("RA-01", *_PAST, "sessions that skip the jump host"),
        ),
        **_TOOLS,
    }
)


def planted(scenario: str, capture: Path) -> tuple[Planted, ...]:
    """A scenario's deeds as its capture shows them. Raises LabError where one of them is not there."""
    return tuple(_planted(deed, capture) for deed in DEEDS.get(scenario, ()))


def _planted(deed: Deed, capture: Path) -> Planted:
    client, server = address(deed.client), address(deed.server)
    seen = [
        (at_ns, who)
        for at_ns, who in identified(capture)
        if ((who.src, who.dst) == (client, server) and who.dport in deed.ports)
        or ((who.src, who.dst) == (server, client) and who.sport in deed.ports)
    ]
    opened = {
        (who.sport, who.dport)
        for _, who in seen
        if who.src == client and (who.proto != TCP or who.flags & (SYN | ACK) == SYN)
    }
    if not opened:
        raise LabError(f"{capture}: {deed.client} begins no conversation with {deed.server}; play it again")
    return Planted(
        id=deed.id,
        src_ip=client,
        dst_ip=server,
        service=deed.service,
        first=moment(min(at_ns for at_ns, _ in seen)),
        last=moment(max(at_ns for at_ns, _ in seen)),
        count=len(opened),
        because=deed.because,
    )
