"""VNC, as bytes of both sides: version, security, desktop, and somebody at work on it (RFB 3.8, RFC 6143)."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth.dialogue import Line, client, server
from pcaps.lab.synth.work import Work, lines_of

PORT: Final = 5900
_VERSION: Final = b"RFB 003.008\n"
_NONE, _VNC_AUTHENTICATION = 1, 2
_FAILED: Final = 1
_SET_PIXEL_FORMAT, _SET_ENCODINGS, _UPDATE_REQUEST, _POINTER = 0, 2, 3, 5
_UPDATE: Final = 0
_RAW: Final = 0
_WIDTH, _HEIGHT = 1024, 768
#: 32 bits a pixel, depth 24, little endian, true colour, 8 bits a colour.
_PIXELS: Final = struct.pack("!BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
_PIXEL_BYTES: Final = 4


def session(
    chance: random.Random,
    start_ns: int,
    desktop: str,
    work: Sequence[Work] = (),
    *,
    password: bool = True,
    let_in: bool = True,
) -> list[Line]:
    """A session on the desktop of that name; without a password nobody is asked who they are."""
    kind = _VNC_AUTHENTICATION if password else _NONE
    made = [
        server(_VERSION, start_ns),
        client(_VERSION),
        server(bytes([1, kind])),
        client(bytes([kind])),
    ]
    if password:
        # Challenge and answer: 16 bytes each (7.2.2).
        made += [server(chance.randbytes(16)), client(chance.randbytes(16))]
    if not let_in:
        reason = b"Authentication failed"
        return [*made, server(struct.pack("!II", _FAILED, len(reason)) + reason)]
    name = desktop.encode()
    shown = struct.pack("!HH", _WIDTH, _HEIGHT) + _PIXELS + struct.pack("!I", len(name)) + name
    # Encodings: raw, and copies of rectangles.
    wanted = struct.pack("!BxHii", _SET_ENCODINGS, 2, _RAW, 1)
    made += [
        server(struct.pack("!I", 0)),
        client(b"\x01"),
        server(shown),
        client(struct.pack("!B3x", _SET_PIXEL_FORMAT) + _PIXELS),
        client(wanted),
        client(_request(incremental=False)),
        server(_update(chance)),
    ]
    for stretch in work:
        made += lines_of(stretch, chance, _act, _update)
    return made


def _act(chance: random.Random) -> bytes:
    """The mouse moves and clicks, then the client asks what changed."""
    place = (chance.randrange(_WIDTH), chance.randrange(_HEIGHT))
    moved = b"".join(struct.pack("!BBHH", _POINTER, pressed, *place) for pressed in (0, 1, 0))
    return moved + _request(incremental=True)


def _request(*, incremental: bool) -> bytes:
    return struct.pack("!BBHHHH", _UPDATE_REQUEST, incremental, 0, 0, _WIDTH, _HEIGHT)


def _update(chance: random.Random) -> bytes:
    """One small rectangle, raw: a field of one colour."""
    width, height = chance.randrange(4, 24), chance.randrange(2, 12)
    colour = chance.randbytes(_PIXEL_BYTES - 1) + b"\x00"
    place = struct.pack("!HHHHi", chance.randrange(900), chance.randrange(700), width, height, _RAW)
    return struct.pack("!BxH", _UPDATE, 1) + place + colour * (width * height)
