"""Ways out that need no gateway of the site's: WireGuard's handshake, and commands shaped like TeamViewer's.

WireGuard: Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", 5.4. TeamViewer publishes nothing; that its
commands begin with 17 24 is what nDPI and others found.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND, SECOND
from pcaps.lab.synth.dialogue import Line, Side, client, server
from pcaps.lab.synth.work import Work, lines_of

WIREGUARD_PORT: Final = 51_820
TEAMVIEWER_PORT: Final = 5_938
_INITIATION, _RESPONSE, _DATA = 1, 2, 4
#: A data packet's tag; what it carries is padded to 16 bytes (5.4.6).
_TAG_BYTES: Final = 16
_COMMAND: Final = b"\x17\x24"


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP payload, and who sends it when."""

    side: Side
    data: bytes
    at_ns: int


def wireguard(chance: random.Random, start_ns: int, packets: int, every_ns: int = SECOND) -> list[Datagram]:
    """A handshake of two messages, a keepalive, then data both ways."""
    ours, theirs = chance.getrandbits(32), chance.getrandbits(32)
    initiation = struct.pack("<II", _INITIATION, ours) + chance.randbytes(32 + 48 + 28 + 16) + bytes(16)
    response = struct.pack("<III", _RESPONSE, theirs, ours) + chance.randbytes(32 + 16 + 16) + bytes(16)
    made = [
        Datagram(Side.CLIENT, initiation, start_ns),
        Datagram(Side.SERVER, response, start_ns + 45 * MILLISECOND),
        Datagram(Side.CLIENT, _sealed(chance, theirs, 0, 0), start_ns + 60 * MILLISECOND),
    ]
    for number in range(packets):
        at_ns = start_ns + SECOND + number * every_ns
        made.append(Datagram(Side.CLIENT, _sealed(chance, theirs, number + 1, 80), at_ns))
        made.append(Datagram(Side.SERVER, _sealed(chance, ours, number, 400), at_ns + 50 * MILLISECOND))
    return made


def teamviewer(chance: random.Random, start_ns: int, work: Sequence[Work] = ()) -> list[Line]:
    """Commands behind 17 24: a greeting, an identification, a session."""
    made: list[Line] = []
    for command, asked, answered in ((0x0A, 28, 32), (0x10, 120, 60), (0x14, 40, 300)):
        made.append(client(_commanded(chance, command, asked), 0 if made else start_ns))
        made.append(server(_commanded(chance, command + 1, answered)))
    for stretch in work:
        made += lines_of(
            stretch,
            chance,
            lambda draw: _commanded(draw, 0x3B, draw.randrange(20, 80)),
            lambda draw: _commanded(draw, 0x3C, draw.randrange(100, 900)),
        )
    return made


def _sealed(chance: random.Random, receiver: int, counter: int, plain_bytes: int) -> bytes:
    padded = plain_bytes + -plain_bytes % 16
    return struct.pack("<IIQ", _DATA, receiver, counter) + chance.randbytes(padded + _TAG_BYTES)


def _commanded(chance: random.Random, command: int, body_bytes: int) -> bytes:
    return _COMMAND + bytes([command, 0]) + struct.pack("<I", body_bytes) + chance.randbytes(body_bytes)
