"""TLS handshakes and sealed records, as bytes of both sides (RFC 5246 and RFC 8422 for 1.2, RFC 8446 for 1.3).

Handshakes are laid out in full, with real certificates; what would be ciphertext is drawn from the seed, in the
lengths that the plaintext would have: nobody without the keys can tell the difference.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from pcaps.lab.synth.dialogue import THINKING_NS, Line, client, server
from pcaps.lab.synth.keys import Identity

PORT: Final = 443

_CHANGE_CIPHER, _HANDSHAKE, _APPLICATION = 20, 22, 23
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = 1, 2, 11
_SERVER_KEY, _SERVER_DONE, _CLIENT_KEY = 12, 14, 16
_SERVER_NAME, _GROUPS, _POINTS, _SIGNATURES, _ALPN = 0, 10, 11, 13, 16
_MASTER_SECRET, _VERSIONS, _KEY_MODES, _KEY_SHARE = 23, 43, 45, 51
_X25519, _P256 = 0x001D, 0x0017
_RSA_PKCS1_SHA256: Final = 0x0401
#: Suites: 1.3's AES-128-GCM, AES-256-GCM, ChaCha20; 1.2's ECDHE-RSA with the same.
_SUITES_13: Final = (0x1301, 0x1302, 0x1303)
_SUITES_12: Final = (0xC02F, 0xC030, 0xCCA8)
_SIGNATURE_SCHEMES: Final = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)
#: A sealed record's tag, and the explicit nonce that GCM has in 1.2.
_TAG_BYTES: Final = 16
_NONCE_BYTES: Final = 8
_FINISHED_BYTES: Final = 16
_RECORD_LIMIT: Final = 16_384


def handshake_12(
    chance: random.Random,
    holder: Identity,
    *,
    at_ns: int = 0,
    name: str = "",
    alpn: Sequence[str] = (),
    wait_ns: int = THINKING_NS,
) -> list[Line]:
    """TLS 1.2 with ECDHE and the server's certificate in clear; `name` is what the client asks for."""
    hello = _client_hello(chance, name, alpn, _SUITES_12, session=b"")
    randoms = hello[6:38]
    server_random, point = chance.randbytes(32), chance.randbytes(32)
    chosen = _extension(_MASTER_SECRET, b"") + (_alpn(alpn[:1]) if alpn else b"")
    answer = b"\x03\x03" + server_random + b"\x20" + chance.randbytes(32) + _u16(_SUITES_12[0]) + b"\x00"
    answer += _sized16(chosen)
    parameters = b"\x03" + _u16(_X25519) + bytes([len(point)]) + point
    signature = holder.key.sign(randoms + server_random + parameters, padding.PKCS1v15(), hashes.SHA256())
    key = parameters + _u16(_RSA_PKCS1_SHA256) + _sized16(signature)
    flight = b"".join(
        (
            _message(_SERVER_HELLO, answer),
            _message(_CERTIFICATE, _sized24(_sized24(holder.der))),
            _message(_SERVER_KEY, key),
            _message(_SERVER_DONE, b""),
        )
    )
    change = _record(_CHANGE_CIPHER, b"\x01")
    own_point = chance.randbytes(32)
    client_key = _message(_CLIENT_KEY, bytes([len(own_point)]) + own_point)
    finished = [
        _record(_HANDSHAKE, chance.randbytes(_NONCE_BYTES + _FINISHED_BYTES + _TAG_BYTES)) for _ in range(2)
    ]
    return [
        client(_record(_HANDSHAKE, hello), at_ns, wait_ns),
        server(_record(_HANDSHAKE, flight), wait_ns=wait_ns),
        client(_record(_HANDSHAKE, client_key) + change + finished[0], wait_ns=wait_ns),
        server(change + finished[1], wait_ns=wait_ns),
    ]


def handshake_13(
    chance: random.Random,
    *,
    at_ns: int = 0,
    name: str = "",
    alpn: Sequence[str] = (),
    certificate_bytes: int = 900,
    wait_ns: int = THINKING_NS,
) -> list[Line]:
    """TLS 1.3: from the server's certificate on everything is sealed."""
    session = chance.randbytes(32)
    hello = _client_hello(chance, name, alpn, _SUITES_13 + _SUITES_12, session=session)
    share = _u16(_X25519) + _sized16(chance.randbytes(32))
    extensions = _extension(_VERSIONS, b"\x03\x04") + _extension(_KEY_SHARE, share)
    answer = b"\x03\x03" + chance.randbytes(32) + b"\x20" + session + _u16(_SUITES_13[0]) + b"\x00"
    answer += _sized16(extensions)
    change = _record(_CHANGE_CIPHER, b"\x01")
    # Encrypted extensions, certificate, its proof and Finished; then the client's Finished.
    sealed_flight = sealed(chance, 20 + certificate_bytes + 264 + 36)
    return [
        client(_record(_HANDSHAKE, hello), at_ns, wait_ns),
        server(
            _record(_HANDSHAKE, _message(_SERVER_HELLO, answer)) + change + sealed_flight, wait_ns=wait_ns
        ),
        client(change + sealed(chance, 36), wait_ns=wait_ns),
    ]


def sealed(chance: random.Random, plain_bytes: int, *, explicit_nonce: bool = False) -> bytes:
    """Application data of that length, in as many records as it takes; TLS 1.2 with GCM has an explicit nonce."""
    records = b""
    while True:
        part = min(plain_bytes, _RECORD_LIMIT)
        # 1.3 hides the content's type behind one more byte; 1.2 spends eight on a nonce.
        extra = _NONCE_BYTES if explicit_nonce else 1
        records += _record(_APPLICATION, chance.randbytes(part + extra + _TAG_BYTES))
        plain_bytes -= part
        if not plain_bytes:
            return records


def _client_hello(
    chance: random.Random, name: str, alpn: Sequence[str], suites: Sequence[int], session: bytes
) -> bytes:
    extensions = b""
    if name:
        server_name = b"\x00" + _sized16(name.encode())
        extensions += _extension(_SERVER_NAME, _sized16(server_name))
    extensions += _extension(_MASTER_SECRET, b"")
    extensions += _extension(_GROUPS, _sized16(_u16(_X25519) + _u16(_P256)))
    extensions += _extension(_POINTS, b"\x01\x00")
    if alpn:
        extensions += _alpn(alpn)
    extensions += _extension(_SIGNATURES, _sized16(b"".join(map(_u16, _SIGNATURE_SCHEMES))))
    if _SUITES_13[0] in suites:
        share = _u16(_X25519) + _sized16(chance.randbytes(32))
        extensions += _extension(_VERSIONS, b"\x04\x03\x04\x03\x03")
        extensions += _extension(_KEY_MODES, b"\x01\x01") + _extension(_KEY_SHARE, _sized16(share))
    body = b"\x03\x03" + chance.randbytes(32) + bytes([len(session)]) + session
    body += _sized16(b"".join(map(_u16, suites))) + b"\x01\x00" + _sized16(extensions)
    return _message(_CLIENT_HELLO, body)


def _alpn(names: Sequence[str]) -> bytes:
    return _extension(_ALPN, _sized16(b"".join(bytes([len(name)]) + name.encode() for name in names)))


def _extension(kind: int, body: bytes) -> bytes:
    return _u16(kind) + _sized16(body)


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _sized24(body)


def _record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + _sized16(body)


def _u16(number: int) -> bytes:
    return struct.pack("!H", number)


def _sized16(body: bytes) -> bytes:
    return _u16(len(body)) + body


def _sized24(body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + body
