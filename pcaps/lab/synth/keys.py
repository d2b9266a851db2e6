"""Names in, RSA keys and X.509 certificates out: real ones, the same on every machine.

Nobody may trust them: whoever has this file has the keys. Sources: RFC 8017 (RSA, OAEP), RFC 5280 (certificates).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pcaps.lab.notes import moment

KEY_BYTES: Final = 256
_EXPONENT: Final = 65_537
_DAY: Final = timedelta(days=1)
_SMALL_PRIMES: Final = tuple(
    n for n in range(3, 2_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))
)
_WITNESSES: Final = 12
_HASH_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and the certificate that its holder made for it."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate as it crosses the wire."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def sha1(self) -> str:
        """Its thumbprint in hexadecimal (OPC 10000-6, 6.2.2)."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest()

    @property
    def sha256(self) -> str:
        """Its fingerprint in hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()


@cache
def identity(
    common_name: str,
    *,
    made_ns: int,
    days: int,
    organization: str = "Mine A",
    uri: str = "",
    host: str = "",
    ip: str = "",
    serial: int = 1,
) -> Identity:
    """A self-signed certificate of 2048 bits, valid for `days` from `made_ns` on; another serial is another key."""
    key = _key(f"{common_name}/{serial}")
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    begins = moment(made_ns)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begins)
        .not_valid_after(begins + days * _DAY)
    )
    if alternatives := _alternatives(uri, host, ip):
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Identity(key, builder.sign(key, hashes.SHA256()))


def oaep(public: rsa.RSAPublicKey, message: bytes, chance: random.Random) -> bytes:
    """RSAES-OAEP with SHA-1 (RFC 8017, 7.1.1); its seed comes from `chance`, so that it can be repeated."""
    padding = bytes(KEY_BYTES - len(message) - 2 * _HASH_BYTES - 2)
    block = hashlib.sha1(b"", usedforsecurity=False).digest() + padding + b"\x01" + message
    seed = chance.randbytes(_HASH_BYTES)
    masked = _xor(block, _mask(seed, len(block)))
    encoded = b"\x00" + _xor(seed, _mask(masked, _HASH_BYTES)) + masked
    numbers = public.public_numbers()
    return pow(int.from_bytes(encoded, "big"), numbers.e, numbers.n).to_bytes(KEY_BYTES, "big")


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 (RFC 8017, B.2.1)."""
    blocks = (
        hashlib.sha1(seed + counter.to_bytes(4, "big"), usedforsecurity=False).digest()
        for counter in range(-(-length // _HASH_BYTES))
    )
    return b"".join(blocks)[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _alternatives(uri: str, host: str, ip: str) -> Sequence[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    if uri:
        names.append(x509.UniformResourceIdentifier(uri))
    if host:
        names.append(x509.DNSName(host))
    if ip:
        names.append(x509.IPAddress(IPv4Address(ip)))
    return names


@cache
def _key(name: str) -> rsa.RSAPrivateKey:
    chance = random.Random(f"key/{name}")
    p, q = _prime(chance), _prime(chance)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()


def _prime(chance: random.Random) -> int:
    bits = KEY_BYTES * 4
    while True:
        # The two highest bits are set, so that the product of two has all its bits.
        candidate = chance.getrandbits(bits) | (0b11 << (bits - 2)) | 1
        if (candidate - 1) % _EXPONENT and _is_prime(candidate, chance):
            return candidate


def _is_prime(candidate: int, chance: random.Random) -> bool:
    """Miller and Rabin's test, after a sieve of small primes."""
    if any(candidate % prime == 0 for prime in _SMALL_PRIMES):
        return False
    odd = candidate - 1
    halvings = (odd & -odd).bit_length() - 1
    odd >>= halvings
    for _ in range(_WITNESSES):
        power = pow(chance.randrange(2, candidate - 1), odd, candidate)
        if power in (1, candidate - 1):
            continue
        if all((power := power * power % candidate) != candidate - 1 for _ in range(halvings - 1)):
            return False
    return True
