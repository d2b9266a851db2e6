"""Remote Desktop, as bytes of both sides: connection request, upgrade to TLS, and a sealed session ([MS-RDPBCGR])."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth import tls
from pcaps.lab.synth.dialogue import Line, client, server
from pcaps.lab.synth.keys import Identity
from pcaps.lab.synth.work import Work, lines_of

PORT: Final = 3389
_REQUEST, _CONFIRM = 0xE0, 0xD0
_NEGOTIATION_REQUEST, _NEGOTIATION_RESPONSE, _NEGOTIATION_FAILURE = 1, 2, 3
_TLS, _CREDSSP = 1, 2
_CREDSSP_REQUIRED: Final = 5
#: Sealed messages before the desktop shows: CredSSP's three rounds, then conference, channels and capabilities
#: (1.3.1.1), as lengths of both sides.
_OPENING: Final = ((57, 280), (590, 88), (140, 4), (460, 180), (12, 20), (390, 450), (520, 60))


def session(
    chance: random.Random,
    start_ns: int,
    holder: Identity,
    user: str,
    work: Sequence[Work] = (),
    *,
    update_bytes: tuple[int, int] = (80, 1_200),
) -> list[Line]:
    """A session of `user` on the computer whose certificate that is, network level authentication first.

    `update_bytes`: how much of the screen changes with each action, from and to.
    """
    cookie = f"Cookie: mstshash={user[:9]}\r\n".encode()
    asked = _negotiation(_NEGOTIATION_REQUEST, _TLS | _CREDSSP)
    made = [
        client(_connection(_REQUEST, 0, cookie + asked), start_ns),
        server(_connection(_CONFIRM, 0x1234, _negotiation(_NEGOTIATION_RESPONSE, _CREDSSP))),
        *tls.handshake_12(chance, holder),
    ]
    for said, answered in _OPENING:
        made += [client(_seal(chance, said)), server(_seal(chance, answered))]
    for stretch in work:
        made += lines_of(stretch, chance, _input, lambda draw: _seal(draw, draw.randrange(*update_bytes)))
    return made


def refused(start_ns: int, user: str) -> list[Line]:
    """A client that only knows the oldest security, and a server that asks for more (2.2.1.2.2)."""
    cookie = f"Cookie: mstshash={user[:9]}\r\n".encode()
    failure = _negotiation(_NEGOTIATION_FAILURE, _CREDSSP_REQUIRED)
    return [
        client(_connection(_REQUEST, 0, cookie + _negotiation(_NEGOTIATION_REQUEST, 0)), start_ns),
        server(_connection(_CONFIRM, 0x1234, failure)),
    ]


def _input(chance: random.Random) -> bytes:
    return _seal(chance, 7 * chance.randrange(1, 6))


def _seal(chance: random.Random, plain_bytes: int) -> bytes:
    return tls.sealed(chance, plain_bytes, explicit_nonce=True)


def _negotiation(kind: int, value: int) -> bytes:
    """Of request, response or failure (2.2.1.1.1, 2.2.1.2)."""
    return struct.pack("<BBHI", kind, 0, 8, value)


def _connection(code: int, source: int, variable: bytes) -> bytes:
    """An X.224 connection TPDU in TPKT (RFC 1006, 6; ITU-T X.224, 13.3): class 0."""
    tpdu = struct.pack("!BHHB", code, 0, source, 0) + variable
    return struct.pack("!BBHB", 3, 0, 5 + len(tpdu), len(tpdu)) + tpdu
