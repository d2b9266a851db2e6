"""How a secure channel is secured: not at all, or Basic256Sha256 with both sides' real certificates.

asyncua signs and encrypts; only RSA's padding is drawn here, from the seed and not from the machine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from pcaps.lab.synth.keys import Identity, oaep
from pcaps.lab.synth.opcua.stack import Structure, policies, ua

#: Part of each block that OAEP takes (RFC 8017, 7.1.1: two SHA-1 hashes and two bytes).
_OAEP_BYTES: Final = 42
NONCE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Security:
    """What both sides of a channel use: `sign`, or `sign_and_encrypt`."""

    client: Identity
    server: Identity
    encrypt: bool = True

    @property
    def mode(self) -> Structure:
        """As OPC UA names it."""
        return ua.MessageSecurityMode.SignAndEncrypt if self.encrypt else ua.MessageSecurityMode.Sign

    def policies(self, chance: random.Random) -> tuple[Structure, Structure]:
        """The client's and the server's end."""
        return self._end(self.client, self.server, chance), self._end(self.server, self.client, chance)

    def _end(self, own: Identity, peer: Identity, chance: random.Random) -> Structure:
        policy = policies.SecurityPolicyBasic256Sha256(peer.certificate, own.certificate, own.key, self.mode)
        policy.asymmetric_cryptography.Encryptor = policies.EncryptorRsa(
            peer.certificate, lambda public, block: oaep(public, block, chance), _OAEP_BYTES
        )
        return policy


def unsecured() -> tuple[Structure, Structure]:
    """Both ends of a channel without security."""
    return policies.SecurityPolicyNone(), policies.SecurityPolicyNone()
