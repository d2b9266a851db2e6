"""One indicator: what is looked for, who says so, and from when until when it holds."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from policy.values import parse_address

#: What is looked for -> the words for one.
WHAT: Final = {
    "address": "address",
    "network": "network",
    "domain": "domain name",
    "ja4": "JA4 fingerprint",
    "certificate": "certificate",
}
#: The last time that can be told (2262): indicators without an end.
NO_END_NS: Final = 2**63 - 1

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_JA4: Final = re.compile(r"[tqd][a-z0-9]{2}[di][0-9]{4}[a-z0-9]{2}_[0-9a-f]{12}_[0-9a-f]{12}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One value that is looked for; an indicator of several values is several of these, of one id."""

    what: str
    #: As `normal` writes it; a domain that begins with `*.` stands for the names below it.
    value: str
    id: str
    name: str
    source: str
    valid_from_ns: int
    #: The first moment at which it no longer holds.
    valid_until_ns: int
    #: 0 to 100, as STIX counts; -1 where the source does not say.
    confidence: int

    @property
    def fields(self) -> tuple[str | int, ...]:
        """Everything that is said of it, in one order."""
        return (
            self.what, self.value, self.id, self.name, self.source, self.valid_from_ns, self.valid_until_ns,
            self.confidence,
        )  # fmt: skip

    @property
    def key(self) -> str:
        """What tells its matches from those of others, also of the same indicator of another time."""
        return f"{self.id} {self.value} {self.valid_from_ns} {self.valid_until_ns}"


@dataclass(frozen=True, slots=True)
class IndicatorSet:
    """Every indicator that is looked for, in order; what makes one set another is `sha256`."""

    indicators: tuple[Indicator, ...]
    sha256: str

    @classmethod
    def of(cls, indicators: Iterable[Indicator]) -> IndicatorSet:
        """Each once."""
        ordered = tuple(sorted(set(indicators), key=lambda one: one.fields))
        lines = json.dumps([one.fields for one in ordered], separators=(",", ":"))
        return cls(ordered, hashlib.sha256(lines.encode()).hexdigest())


def normal(what: str, text: str) -> str:
    """A value as it is compared. ValueError, with the repair, where it is none."""
    return _NORMAL[what](text.strip())


def _address(text: str) -> str:
    return str(parse_address(text))


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"'{text}' is not a network: {error}; write it like 203.0.113.0/24") from None


def _domain(text: str) -> str:
    name = text.rstrip(".").lower()
    try:
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"'{text}' is not a domain name") from None
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"'{text}' is not a domain name; write it like c2.example, or *.c2.example")
    return name


def _ja4(text: str) -> str:
    if not _JA4.fullmatch(text.lower()):
        raise ValueError(
            f"'{text}' is not a JA4 fingerprint; it looks like t13d1516h2_8daaf6152771_02713d6af862"
        )
    return text.lower()


def _certificate(text: str) -> str:
    digits = text.replace(":", "").lower()
    if not _SHA256.fullmatch(digits):
        raise ValueError(f"'{text}' is not the SHA-256 of a certificate: 64 hexadecimal digits")
    return digits


_NORMAL: Final[Mapping[str, Callable[[str], str]]] = {
    "address": _address,
    "network": _network,
    "domain": _domain,
    "ja4": _ja4,
    "certificate": _certificate,
}
