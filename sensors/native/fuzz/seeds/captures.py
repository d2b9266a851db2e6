"""The captures that seeds are cut out of, and how: runs of packets that follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Loopback
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap

_ROOT: Final = Path(__file__).parents[4]
_CAPTURES: Final = _ROOT / "pcaps"
#: Public captures beside the project, where they are there.
_SHARED: Final = _ROOT.parent / "shared" / "captures"

#: Packets of one capture that are looked at.
_PACKETS: Final = 4_000
#: Packets of one seed: libFuzzer takes small inputs further than large ones.
_PIECES: Final = 24
#: Seeds of one capture and target.
_SEEDS: Final = 12


def captures() -> Iterator[tuple[str, list[Packet]]]:
    """Each capture's name and its first packets."""
    for path in sorted([*_CAPTURES.glob("*.pcapng"), *_SHARED.glob("0[456]-*.pcap")]):
        yield path.stem, [_dissected(packet) for packet in rdpcap(str(path), count=_PACKETS)]


def runs(packets: list[Packet]) -> Iterator[list[Packet]]:
    """Runs of packets that follow each other, spread over the capture."""
    step = max(len(packets) // _SEEDS, _PIECES)
    return islice((packets[at : at + _PIECES] for at in range(0, len(packets), step)), _SEEDS)


def _dissected(packet: Packet) -> Packet:
    """The packet; of a loopback interface the IP packet behind its four bytes, which scapy knows by other numbers."""
    raw = bytes(packet)
    if not isinstance(packet, Loopback | Raw) or len(raw) < 5:
        return packet
    return IPv6(raw[4:]) if raw[4] >> 4 == 6 else IP(raw[4:])
