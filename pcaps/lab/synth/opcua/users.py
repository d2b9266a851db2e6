"""Who uses a session, and how they say so: anonymous, name and password, certificate (OPC 10000-4, 7.40)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from pcaps.lab.synth.keys import Identity, oaep
from pcaps.lab.synth.opcua.stack import Structure, binary, ua

_OAEP: Final = "http://www.w3.org/2001/04/xmlenc#rsa-oaep"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class Token(NamedTuple):
    """What an activation carries of its user."""

    identity: Structure
    signature: Structure


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody in particular."""

    def token(self, server: Identity | None, nonce: bytes, chance: random.Random) -> Token:
        """A policy's name and no more."""
        return Token(ua.AnonymousIdentityToken(PolicyId="anonymous"), ua.SignatureData())


@dataclass(frozen=True, slots=True)
class UserName:
    """A name and a password; in clear where the server has no certificate to encrypt for."""

    name: str
    password: str

    def token(self, server: Identity | None, nonce: bytes, chance: random.Random) -> Token:
        """The password is encrypted together with the server's nonce (7.40.2.2)."""
        secret, algorithm = _kept(self.password, server, nonce, chance)
        identity = ua.UserNameIdentityToken(
            PolicyId="name", UserName=self.name, Password=secret, EncryptionAlgorithm=algorithm
        )
        return Token(identity, ua.SignatureData())


@dataclass(frozen=True, slots=True)
class Certificate:
    """A person's own certificate, and their signature."""

    holder: Identity

    def token(self, server: Identity | None, nonce: bytes, chance: random.Random) -> Token:
        """The signature is over the server's certificate and nonce (7.40.5)."""
        identity = ua.X509IdentityToken(PolicyId="certificate", CertificateData=self.holder.der)
        return Token(identity, signed(self.holder, (server.der if server else b"") + nonce))


@dataclass(frozen=True, slots=True)
class Issued:
    """A token of an authorisation service, such as a JSON Web Token; in clear where it cannot be encrypted."""

    token_data: str

    def token(self, server: Identity | None, nonce: bytes, chance: random.Random) -> Token:
        """The token as it is, or encrypted like a password (7.40.6)."""
        secret, algorithm = _kept(self.token_data, server, nonce, chance)
        identity = ua.IssuedIdentityToken(PolicyId="issued", TokenData=secret, EncryptionAlgorithm=algorithm)
        return Token(identity, ua.SignatureData())


User = Anonymous | UserName | Certificate | Issued


def _kept(
    secret: str, server: Identity | None, nonce: bytes, chance: random.Random
) -> tuple[bytes, str | None]:
    """A secret for the server's eyes, with the name of what encrypts it."""
    plain = secret.encode()
    if not server:
        return plain, None
    length = binary.pack_uatype(ua.VariantType.UInt32, len(plain) + len(nonce))
    return oaep(server.key.public_key(), length + plain + nonce, chance), _OAEP


def signed(by: Identity, data: bytes) -> Structure:
    """RSA with SHA-256 (RFC 8017, 8.2)."""
    return ua.SignatureData(
        Algorithm=_RSA_SHA256, Signature=by.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    )
