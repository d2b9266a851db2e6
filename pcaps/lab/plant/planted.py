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
from pcaps.lab.plant.link.frames import ACK, SYN
from pcaps.lab.plant.stations.names import OLD_PORT
from pcaps.lab.problems import LabError


@dataclass(frozen=True, slots=True)
class Deed:
    """What one station does to another that a check or detection is there to see."""

    id: str
    client: str
    server: str
    port: int
    service: str
    #: What is counted, and why it matters.
    because: str


_PASSWORD: Final = ("ua-client1", "ua1", OLD_PORT, "opcua")
_SECOND: Final = ("office1", "broker1", 1883, "mqtt")
_PAST: Final = ("vendor1", "plc1", SSH_PORT, "ssh")

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
    }
)


def planted(scenario: str, capture: Path) -> tuple[Planted, ...]:
    """A scenario's deeds as its capture shows them. Raises LabError where one of them is not there."""
    return tuple(_planted(deed, capture) for deed in DEEDS.get(scenario, ()))


def _planted(deed: Deed, capture: Path) -> Planted:
    client, server = address(deed.client), address(deed.server)
    ends = {(client, server, deed.port), (server, client, deed.port)}
    seen = [
        (at_ns, who)
        for at_ns, who in identified(capture)
        if (who.src, who.dst, who.dport) in ends or (who.src, who.dst, who.sport) in ends
    ]
    opened = {who.sport for _, who in seen if who.src == client and who.flags & (SYN | ACK) == SYN}
    if not opened:
        raise LabError(f"{capture}: {deed.client} opens no connection to {deed.server}; play it again")
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
