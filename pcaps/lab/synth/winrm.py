"""Windows remote management over HTTP, as bytes of both sides: sealed orders and answers ([MS-WSMV], 2.2.9.1)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth.dialogue import Line, client, server

PORT: Final = 5985
_SEALED: Final = "application/HTTP-Kerberos-session-encrypted"


def session(chance: random.Random, start_ns: int, host: str, orders: Sequence[tuple[int, int]]) -> list[Line]:
    """Orders and answers of these lengths, one after the other."""
    made: list[Line] = []
    for asked, answered in orders:
        head = f"POST /wsman HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Microsoft WinRM Client\r\n"
        made.append(client(head.encode() + _body(chance, asked), start_ns))
        made.append(server(b"HTTP/1.1 200 OK\r\nServer: Microsoft-HTTPAPI/2.0\r\n" + _body(chance, answered)))
    return made


def _body(chance: random.Random, size: int) -> bytes:
    """What is left of the head, and two parts: what is sealed, and the sealed bytes."""
    told = f"--Encrypted Boundary\r\nContent-Type: {_SEALED}\r\n"
    told += f"OriginalContent: type=application/soap+xml;charset=UTF-8;Length={size}\r\n"
    sealed = b"--Encrypted Boundary\r\nContent-Type: application/octet-stream\r\n" + chance.randbytes(size)
    body = told.encode() + sealed + b"--Encrypted Boundary--\r\n"
    kind = f'multipart/encrypted;protocol="{_SEALED}";boundary="Encrypted Boundary"'
    return f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
