"""SSH connections, as bytes of both sides: banners, key exchange, and sealed packets of the right lengths.

RFC 4253 (transport), RFC 5656 and RFC 8731 (Curve25519), RFC 4252 (login), RFC 4254 (session);
chacha20-poly1305@openssh.com seals lengths too.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND, SECOND
from pcaps.lab.synth.dialogue import Line, client, server
from pcaps.lab.synth.work import Work, lines_of

PORT: Final = 22
_KEXINIT, _NEWKEYS, _ECDH_INIT, _ECDH_REPLY = 20, 21, 30, 31

_KEY_EXCHANGES: Final = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256"
_HOST_KEYS: Final = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
_CIPHERS: Final = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com"
_MACS: Final = "umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-256"
_COMPRESSION: Final = "none,zlib@openssh.com"
#: Sealed packets: the length's own bytes, the tag; padding fills blocks of eight (RFC 4253, 6).
_LENGTH_BYTES, _TAG_BYTES, _BLOCK, _LEAST_PADDING = 4, 16, 8, 4
#: Payloads of the login and the session's opening (RFC 4252, RFC 4254): request, answer.
_SERVICE: Final = (17, 17)
_QUESTION: Final = (42, 33)
_PASSWORD: Final = (60, 33)
_OPENING: Final = ((24, 17), (72, 1))
_SUCCESS: Final = 1
#: How long a wrong password takes a server.
_REFUSAL_NS: Final = 800 * MILLISECOND


def session(
    chance: random.Random,
    start_ns: int,
    work: Sequence[Work] = (),
    *,
    client_software: str = "OpenSSH_9.6",
    server_software: str = "OpenSSH_9.2p1 Debian-2+deb12u3",
    refused: int = 0,
    let_in: bool = True,
) -> list[Line]:
    """A connection with `refused` wrong passwords, then, where it is let in, a shell in which somebody works."""
    made = [
        server(f"SSH-2.0-{server_software}\r\n".encode(), start_ns),
        client(f"SSH-2.0-{client_software}\r\n".encode(), start_ns),
        client(_offer(chance, client_s=True)),
        server(_offer(chance, client_s=False)),
        client(_packet(bytes([_ECDH_INIT]) + _string(chance.randbytes(32)))),
        server(_key_reply(chance) + _packet(bytes([_NEWKEYS]))),
        client(_packet(bytes([_NEWKEYS])) + _sealed(chance, _SERVICE[0])),
        server(_sealed(chance, _SERVICE[1])),
        client(_sealed(chance, _QUESTION[0])),
        server(_sealed(chance, _QUESTION[1])),
    ]
    for _ in range(refused):
        made.append(client(_sealed(chance, _PASSWORD[0]), wait_ns=2 * SECOND))
        made.append(server(_sealed(chance, _PASSWORD[1]), wait_ns=_REFUSAL_NS))
    if not let_in:
        return made
    made.append(client(_sealed(chance, _PASSWORD[0]), wait_ns=2 * SECOND))
    made.append(server(_sealed(chance, _SUCCESS), wait_ns=30 * MILLISECOND))
    for asked, answered in _OPENING:
        made += [client(_sealed(chance, asked)), server(_sealed(chance, answered))]
    for stretch in work:
        made += lines_of(stretch, chance, _keys, _screen)
    return made


def _keys(chance: random.Random) -> bytes:
    return _sealed(chance, 9 + chance.randrange(1, 24))


def _screen(chance: random.Random) -> bytes:
    return _sealed(chance, 9 + chance.randrange(20, 600))


def _offer(chance: random.Random, *, client_s: bool) -> bytes:
    strict = "ext-info-c,kex-strict-c-v00@openssh.com" if client_s else "kex-strict-s-v00@openssh.com"
    lists = [f"{_KEY_EXCHANGES},{strict}", _HOST_KEYS if client_s else "ssh-ed25519"]
    lists += [_CIPHERS] * 2 + [_MACS] * 2 + [_COMPRESSION] * 2 + [""] * 2
    body = b"".join(_string(one.encode()) for one in lists)
    return _packet(bytes([_KEXINIT]) + chance.randbytes(16) + body + bytes(5))


def _key_reply(chance: random.Random) -> bytes:
    host_key = _string(b"ssh-ed25519") + _string(random.Random("ssh host key").randbytes(32))
    signature = _string(b"ssh-ed25519") + _string(chance.randbytes(64))
    body = _string(host_key) + _string(chance.randbytes(32)) + _string(signature)
    return _packet(bytes([_ECDH_REPLY]) + body)


def _packet(payload: bytes) -> bytes:
    """A packet in clear."""
    padding = _LEAST_PADDING + -(5 + len(payload) + _LEAST_PADDING) % _BLOCK
    return struct.pack("!IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


def _sealed(chance: random.Random, payload_bytes: int) -> bytes:
    """A sealed packet: its length's bytes are not part of the blocks."""
    padding = _LEAST_PADDING + -(1 + payload_bytes + _LEAST_PADDING) % _BLOCK
    return chance.randbytes(_LENGTH_BYTES + 1 + payload_bytes + padding + _TAG_BYTES)


def _string(value: bytes) -> bytes:
    return struct.pack("!I", len(value)) + value
