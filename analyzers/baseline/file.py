"""A baseline's file: JSON lines in one canonical form, so that two of them can be told apart by their hash.

The first line says what it is and who taught it, then comes a line a fact, in order, then what was accepted. Times
are ns since the epoch.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from analyzers.baseline.comparing import Acceptance, Baseline
from analyzers.baseline.learning import FACT
from policy.prefixes import address_bytes
from sensors.addresses import address_text
from sensors.whole_file import whole_file

FORM: Final = 1
#: A baseline of 20,000 facts of each kind has some 60 MB.
SIZE_LIMIT: Final = 256 * 1024 * 1024

_ADDRESSES: Final = ("client_ip", "server_ip")
_HEAD: Final = ("site", "policy_sha256", "version", "min_count", "captures", "left_out")
_ACCEPTED: Final = tuple(Acceptance.__dataclass_fields__)


class BaselineError(Exception):
    """The file is not a baseline, or not one that this version reads; the message names the file and the repair."""


def to_bytes(baseline: Baseline) -> bytes:
    """The file's bytes: the same baseline gives the same bytes, always."""
    head = {"geophone_baseline": FORM} | {name: getattr(baseline, name) for name in _HEAD}
    facts = [{"fact": _with_texts(row)} for row in baseline.facts.iter_rows(named=True)]
    accepted = [
        {"accepted": _with_texts({name: getattr(one, name) for name in _ACCEPTED})}
        for one in baseline.accepted
    ]
    return b"".join(_line(body) for body in (head, *facts, *accepted))


def sha256_of(baseline: Baseline) -> str:
    """The SHA-256 of the file's bytes."""
    return hashlib.sha256(to_bytes(baseline)).hexdigest()


def save(baseline: Baseline, path: Path) -> None:
    """Write the file; whole or not at all. Raises OSError."""
    with whole_file(path) as out:
        out.write(to_bytes(baseline))


def load(path: Path) -> Baseline:
    """Read a file. Raises BaselineError where it cannot be read or is no baseline."""
    try:
        with path.open("rb") as source:
            content = source.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > SIZE_LIMIT:
        raise BaselineError(f"{path}: longer than {SIZE_LIMIT // 2**20} MiB; is this a baseline?")
    return from_bytes(content, str(path))


def from_bytes(content: bytes, name: str) -> Baseline:
    """A baseline from its file's bytes; `name` stands for the file in messages. Raises BaselineError."""
    head: dict[str, Any] | None = None
    facts: list[dict[str, Any]] = []
    accepted: list[Acceptance] = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            body = json.loads(line)
            if head is None:
                head = _head(body)
            elif "fact" in body:
                facts.append(_with_bytes(_only(body["fact"], tuple(FACT))))
            else:
                accepted.append(Acceptance(**_with_bytes(_only(body["accepted"], _ACCEPTED))))
        except (ValueError, KeyError, TypeError) as error:
            raise BaselineError(
                f"{name}:{number}: not a line of a baseline ({error}); make it with `geophone baseline learn`"
            ) from error
    if head is None:
        raise BaselineError(f"{name}: empty; make a baseline with `geophone baseline learn`")
    try:
        frame = pl.DataFrame(facts, schema=FACT, orient="row")
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise BaselineError(f"{name}: a fact has a value of another kind ({error})") from error
    return Baseline(**head, facts=frame, accepted=tuple(accepted))


def _head(body: Any) -> dict[str, Any]:
    form = body["geophone_baseline"]
    if form != FORM:
        raise ValueError(f"form {form}, this version reads form {FORM}")
    head = _only({name: value for name, value in body.items() if name != "geophone_baseline"}, _HEAD)
    return head | {"captures": tuple(head["captures"])}


def _only(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Exactly these entries; ValueError where one is missing or strange."""
    if set(body) != set(names):
        raise ValueError(f"entries {', '.join(sorted(set(body) ^ set(names)))} are missing or unknown")
    return dict(body)


def _with_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: address_text(value) if name in _ADDRESSES else value for name, value in row.items()}


def _with_bytes(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: address_bytes(ipaddress.ip_address(value)) if name in _ADDRESSES else value
        for name, value in row.items()
    }


def _line(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"
