"""What entries say of each other: every id named exists, no id is given twice.

Read from the raw values, so that a mistake elsewhere in an entry does not hide one here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy.problems import Path, path_text
from policy.services import BY_NAME
from policy.values import suggestion
from policy.yaml_tree import Data


@dataclass(frozen=True, slots=True)
class Reference:
    """A key that names another entry; `*` in the path is each item of a list."""

    path: tuple[str, ...]
    kind: str
    or_address: bool = False


#: Where each kind of entry has its id.
DEFINITIONS: Final = {
    "zone": ("zones", "*", "id"),
    "asset": ("assets", "*", "id"),
    "conduit": ("conduits", "*", "id"),
    "rule": ("conduits", "*", "allow", "*", "id"),
    "remote access rule": ("remote_access", "*", "id"),
    "sla": ("sla", "*", "id"),
    "suppression": ("suppressions", "*", "id"),
}

REFERENCES: Final = (
    Reference(("assets", "*", "zone"), "zone"),
    Reference(("conduits", "*", "from"), "zone"),
    Reference(("conduits", "*", "to"), "zone"),
    Reference(("conduits", "*", "allow", "*", "src", "*"), "asset", or_address=True),
    Reference(("conduits", "*", "allow", "*", "dst", "*"), "asset", or_address=True),
    Reference(("remote_access", "*", "gateway"), "asset"),
    Reference(("remote_access", "*", "intermediate", "*"), "asset"),
    Reference(("remote_access", "*", "targets", "*"), "asset"),
    Reference(("remote_access", "*", "service", "*"), "service"),
    Reference(("approvals", "*", "rule"), "remote access rule"),
    Reference(("changes", "*", "assets", "*"), "asset"),
    Reference(("sla", "*", "scope", "zone"), "zone"),
    Reference(("sla", "*", "scope", "conduit"), "conduit"),
    Reference(("polls", "*", "client"), "asset"),
    Reference(("polls", "*", "server"), "asset"),
    Reference(("suppressions", "*", "scope", "zones", "*"), "zone"),
    Reference(("suppressions", "*", "scope", "conduits", "*"), "conduit"),
    Reference(("suppressions", "*", "scope", "assets", "*"), "asset"),
    Reference(("suppressions", "*", "scope", "client", "*"), "asset", or_address=True),
    Reference(("suppressions", "*", "scope", "server", "*"), "asset", or_address=True),
    Reference(("suppressions", "*", "scope", "service", "*"), "service"),
)


#: Repairs sought among all known ids: more unknown ones are one mistake, and a search of each would take hours.
REPAIRS_LIMIT: Final = 20


def reference_problems(data: Data) -> Iterator[tuple[Path, str]]:
    """Ids given twice and ids that name nothing: the place and the message of each."""
    known: dict[str, dict[str, Path]] = {"service": dict.fromkeys(BY_NAME, ())}
    for kind, pattern in DEFINITIONS.items():
        ids = known.setdefault(kind, {})
        for path, value in _places(data, pattern):
            if not isinstance(value, str):
                continue
            if value in ids:
                yield (
                    path,
                    f"the {kind} {value!r} is already at {path_text(ids[value][:-1])}; give it another id",
                )
            else:
                ids[value] = path
    repairs: dict[tuple[str, str], str] = {}
    for reference in REFERENCES:
        for path, value in _places(data, reference.path):
            if not isinstance(value, str) or value in known[reference.kind]:
                continue
            if reference.or_address and _is_prefix(value):
                continue
            unknown = reference.kind, value
            if unknown not in repairs and len(repairs) < REPAIRS_LIMIT:
                repairs[unknown] = _repair(value, reference, known)
            yield path, f"unknown {reference.kind} {value!r}{repairs.get(unknown, '; declare it')}"


def _repair(value: str, reference: Reference, known: Mapping[str, Mapping[str, Path]]) -> str:
    repair = suggestion(value, list(known[reference.kind]))
    if not repair and reference.kind == "asset" and value in known["zone"]:
        repair = "; this is a zone: name its assets, or leave the key out for the whole zone"
    return repair or f"; declare it, or name one of: {_listed(known[reference.kind])}"


def _listed(ids: Mapping[str, Path]) -> str:
    shown = ", ".join(sorted(ids)[:8])
    return f"{shown}, …" if len(ids) > 8 else shown or "(none declared)"


def _is_prefix(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _places(data: Data, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every value at a pattern; what has another shape is passed over, the model reports it."""
    if not pattern:
        yield path, data
        return
    step, rest = pattern[0], pattern[1:]
    if step == "*":
        if isinstance(data, tuple):
            for index, item in enumerate(data):
                yield from _places(item, rest, (*path, index))
    elif isinstance(data, dict) and step in data:
        yield from _places(data[step], rest, (*path, step))
