"""OPC UA binary messages (OPC 10000-6, 6.7 and 7.1): a channel without security, reads on it, as bytes."""

from __future__ import annotations

import struct
from typing import Final

from pcaps.lab.synth.clock import SECOND

PORT: Final = 4840
_NO_SECURITY: Final = b"http://opcfoundation.org/UA/SecurityPolicy#None"
_BUFFER: Final = 65_536
_LIFETIME_MS: Final = 3_600_000
#: Days from 1601-01-01, where OPC UA's time starts, to 1970-01-01.
_EPOCH_DAYS: Final = 134_774
_OPEN_REQUEST, _OPEN_RESPONSE, _READ_REQUEST, _READ_RESPONSE = 446, 449, 631, 634
_CHANNEL: Final = 7
_TOKEN: Final = 3
_SESSION_NODE: Final = b"\x02" + struct.pack("<HI", 1, 4711)
_NULL_NODE: Final = b"\x00\x00"


def hello(url: str) -> bytes:
    """The client's first message."""
    return _message(b"HELF", struct.pack("<IIIII", 0, _BUFFER, _BUFFER, 0, 0) + _string(url.encode()))


def acknowledge() -> bytes:
    """The server's answer to it."""
    return _message(b"ACKF", struct.pack("<IIIII", 0, _BUFFER, _BUFFER, 0, 0))


def open_request(now_ns: int) -> bytes:
    """OpenSecureChannel, security None."""
    body = struct.pack("<III", 0, 0, 1) + _string(b"\x00") + struct.pack("<I", _LIFETIME_MS)
    return _open(0, _OPEN_REQUEST, _request_header(now_ns, 1, _NULL_NODE) + body)


def open_response(now_ns: int) -> bytes:
    """The channel is open."""
    token = struct.pack("<IIqI", _CHANNEL, _TOKEN, _time(now_ns), _LIFETIME_MS)
    body = struct.pack("<I", 0) + token + _string(b"\x00")
    return _open(_CHANNEL, _OPEN_RESPONSE, _response_header(now_ns, 1) + body)


def read_request(now_ns: int, number: int, nodes: tuple[int, ...]) -> bytes:
    """Read the Value of numeric nodes of namespace 2."""
    body = struct.pack("<dII", 0.0, 2, len(nodes))
    for node in nodes:
        body += (
            b"\x02"
            + struct.pack("<HI", 2, node)
            + struct.pack("<I", 13)
            + _string(None)
            + struct.pack("<H", 0)
            + _string(None)
        )
    return _service(_READ_REQUEST, number, _request_header(now_ns, number, _SESSION_NODE) + body)


def read_response(now_ns: int, number: int, values: tuple[int, ...]) -> bytes:
    """The values, as Int32."""
    body = struct.pack("<I", len(values))
    for value in values:
        body += b"\x01\x06" + struct.pack("<i", value)
    return _service(_READ_RESPONSE, number, _response_header(now_ns, number) + body + struct.pack("<i", -1))


def _request_header(now_ns: int, handle: int, session: bytes) -> bytes:
    return (
        session
        + struct.pack("<qII", _time(now_ns), handle, 0)
        + _string(None)
        + struct.pack("<I", 5000)
        + b"\x00\x00\x00"
    )


def _response_header(now_ns: int, handle: int) -> bytes:
    return struct.pack("<qII", _time(now_ns), handle, 0) + b"\x00" + struct.pack("<i", -1) + b"\x00\x00\x00"


def _open(channel: int, type_id: int, body: bytes) -> bytes:
    security = _string(_NO_SECURITY) + _string(None) + _string(None)
    sequence = struct.pack("<II", 1, 1)
    return _message(b"OPNF", struct.pack("<I", channel) + security + sequence + _type(type_id) + body)


def _service(type_id: int, number: int, body: bytes) -> bytes:
    head = struct.pack("<IIII", _CHANNEL, _TOKEN, number, number)
    return _message(b"MSGF", head + _type(type_id) + body)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", 8 + len(body)) + body


def _type(identifier: int) -> bytes:
    return b"\x01\x00" + struct.pack("<H", identifier)


def _string(value: bytes | None) -> bytes:
    return struct.pack("<i", -1) if value is None else struct.pack("<i", len(value)) + value


def _time(now_ns: int) -> int:
    return now_ns // 100 + _EPOCH_DAYS * 86_400 * SECOND // 100
