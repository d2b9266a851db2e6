"""Target `mqtt`: every quality of delivery, an alias, a birth, a command."""

from __future__ import annotations

#: What stands for a greeting of the seed's own, and for one that the target brings.
_OWN_GREETING = 64


def made() -> list[bytes]:
    """One byte of options; then for each packet its type and what happens to it, a length, what is in it.

    Connections of 3.1.1 and 5 and over WebSocket, with its upgrade and joined behind it.
    """

    def piece(kind: int, side: int, data: bytes) -> bytes:
        return bytes([kind << 4 | side, len(data)]) + data

    connect, connack = piece(1, 0, b"\x02\0\x01a"), piece(2, 1, b"\0\0")
    delivered = piece(3, 0, b"\x02\0\x07x") + piece(4, 1, b"\0\x07")
    released = piece(3, 0, b"\x04\0\x08x") + b"".join(piece(kind, kind != 6, b"\0\x08") for kind in (5, 6, 7))
    subscribed = piece(8, 0, b"\0\x01\0\x03a/#\x01") + piece(9, 1, b"\0\x01\x01")
    told = piece(12, 0, b"") + piece(13, 1, b"") + piece(14, 0, b"")
    metric = b"\x12\x0f\x0a\x01m\x10\x01\x20\x0a\x69\0\0\0\0\0\0\x08\x40"
    birth = piece(3, 0, b"\x20\x08\x01" + metric + b"\x18\0")
    command = piece(3, 1, b"\x50\x08\x01\x12\x0b\x10\x01\x69\0\0\0\0\0\0\x08\x40")
    older = connect + connack + delivered + released + subscribed + birth + command + told
    alias = piece(3, 0, b"\0\x03\x23\0\x01x") + piece(3, 0, b"\x10\x03\x23\0\x01x")
    newer = piece(1, 0, b"\x02\0\0\x01a") + piece(2, 1, b"\0\0\x03\x22\0\x05") + alias + told
    # Properties with their length: who answers, an error's text, a pair; then a metric in fields of protobuf.
    properties = b"\xfd\x0e\x43abc\x50\0\x36kvv\x2a\1\2\3\4"
    made = piece(3, 0, b"\2" + b"\0\x09" + properties + b"x") + piece(4, 1, b"\0\x09\0" + properties)
    made += piece(3, 0, b"\x20\0\xfb\x11\xfc\x92\xfc\x21abcd\xfb\x12\xfb\xa4\xfa\x40")
    newest = newer + made + piece(9, 0, b"\0\x0a" + properties + b"\xf9\0\0")
    kinds = (0, 1, 4, 8, 16, 32)
    talks = [(options, older) for options in kinds]
    talks += [(options | 2, talk) for options in kinds for talk in (newer, newest)]
    return [bytes([options | greeting]) + said for options, said in talks for greeting in (0, _OWN_GREETING)]
