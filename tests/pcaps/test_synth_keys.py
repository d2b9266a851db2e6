"""The lab's keys are real, and the same each time."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from pcaps.lab.synth import keys

MADE_NS = 1_790_000_000 * 1_000_000_000


def identity(serial: int = 1) -> keys.Identity:
    return keys.identity(
        "ua1", made_ns=MADE_NS, days=30, uri="urn:mine-a:ua1", ip="10.20.0.31", serial=serial
    )


def test_a_certificate_says_who_it_is_of_and_is_signed_by_its_key() -> None:
    one = x509.load_der_x509_certificate(identity().der)
    assert one.subject.rfc4514_string() == "CN=ua1,O=Mine A"
    one.verify_directly_issued_by(one)
    alternative = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternative.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:mine-a:ua1"]
    assert one.not_valid_before_utc == datetime.fromtimestamp(MADE_NS // 10**9, UTC)


def test_another_serial_is_another_key_and_the_same_one_the_same() -> None:
    first = identity()
    keys.identity.cache_clear()
    keys._key.cache_clear()
    assert identity().der == first.der
    numbers = {identity(serial).key.public_key().public_numbers().n for serial in (1, 2)}
    assert len(numbers) == 2


def test_what_is_encrypted_with_a_seeded_padding_can_be_decrypted() -> None:
    one = identity()
    sealed = keys.oaep(one.key.public_key(), b"thirty-two bytes of some nonce..", random.Random(7))
    assert sealed == keys.oaep(one.key.public_key(), b"thirty-two bytes of some nonce..", random.Random(7))
    scheme = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    assert one.key.decrypt(sealed, scheme) == b"thirty-two bytes of some nonce.."
