"""Two sites in; what one means that the other does not, out. How a file is written makes no difference.

Order, comments, spelled-out defaults, prefixes and lengths of time written otherwise: none of them is a change. Entries
are the same by their id; what has none is the same by what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from policy.modbus import joined_ranges
from policy.model import Site

#: Keys that no verdict depends on: words for people.
WORDS: Final = frozenset({"name", "reason", "change", "approver", "domain"})
#: Lists whose order says something: of windows, approvals and changes the first one is told.
_RANGES: Final = frozenset({"read", "write"})

#: Section -> what identifies an entry of it.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "zones": ("id",),
    "assets": ("id",),
    "conduits": ("id",),
    "remote_access": ("id",),
    "approvals": ("ref", "rule", "start"),
    "changes": ("ref", "start"),
    "sla": ("id",),
    "polls": ("client", "server", "service", "unit", "function", "address", "quantity"),
    "suppressions": ("id",),
}


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key that says something else; "" stands for a key that is left out."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that is new, gone, or says something else."""

    section: str
    entry: str
    what: str  #: added, removed or changed
    keys: tuple[KeyChange, ...]

    @property
    def only_words(self) -> bool:
        """No verdict can depend on it."""
        return self.what == "changed" and all(one.key in WORDS for one in self.keys)


def differences(before: Site, after: Site) -> list[Change]:
    """Every change, by the sections of a policy and in each by the entries' ids."""
    old, new = _entries(before), _entries(after)
    return [
        change
        for section in dict.fromkeys((*old, *new))
        for change in _of_section(section, old.get(section, {}), new.get(section, {}))
    ]


def _of_section(
    section: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for entry in sorted(old.keys() | new.keys()):
        one, other = old.get(entry), new.get(entry)
        keys = tuple(_key_changes(one or {}, other or {}))
        if one is None:
            yield Change(section, entry, "added", keys)
        elif other is None:
            yield Change(section, entry, "removed", keys)
        elif keys:
            yield Change(section, entry, "changed", keys)


def _key_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[KeyChange]:
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if before != after:
            yield KeyChange(key, _text(before), _text(after))


def _entries(site: Site) -> dict[str, dict[str, dict[str, Any]]]:
    """Section -> entry -> its keys, each in one form. Rules and settings of detections are sections of their own."""
    sections: dict[str, dict[str, dict[str, Any]]] = {"site": {"site": _keys(site.identity)}}
    for section, identity in _KEYS.items():
        sections[section] = {
            " ".join(_text(_plain(getattr(entry, key))) for key in identity): _keys(entry, leave_out="allow")
            for entry in getattr(site, section)
        }
        if section == "conduits":
            sections["rules"] = {
                rule.id: {"conduit": conduit.id, **_keys(rule)}
                for conduit in site.conduits
                for rule in conduit.allow
            }
    settings = _keys(site.detections)
    sections["detections"] = {
        name: value if isinstance(value, dict) else {name: value} for name, value in settings.items()
    }
    sections["evidence"] = {"evidence": _keys(site.evidence)}
    return sections


def _keys(entry: BaseModel, leave_out: str = "") -> dict[str, Any]:
    """The keys of an entry as the policy writes them; those that are left out are not there."""
    return {
        info.alias or name: joined_ranges(value) if name in _RANGES else _plain(value)
        for name, info in type(entry).model_fields.items()
        if name != leave_out and (value := getattr(entry, name)) is not None
    }


def _plain(value: object) -> Any:
    """A value that compares by what it means: lists sorted, models as keys."""
    if isinstance(value, BaseModel):
        return _keys(value)
    if isinstance(value, tuple):
        return sorted({_text(_plain(one)) for one in value})
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
