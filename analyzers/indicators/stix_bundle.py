"""The text of a STIX 2.1 bundle in; its indicators out, and what was not taken with the reason.

The objects are read as OASIS STIX 2.1 describes them (4.7, Indicator); only what is used here is looked at, so that a
hundred thousand objects are read in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from analyzers.indicators.indicator import NO_END_NS, Indicator
from analyzers.indicators.patterns import NotTaken, values_of


class _Object(BaseModel):
    """An indicator of STIX 2.1: what is used of it."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(pattern=r"^indicator--[0-9a-f-]{36}$")
    pattern: str
    pattern_type: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    name: str = ""
    confidence: int | None = Field(default=None, ge=0, le=100)
    revoked: bool = False
    created_by_ref: str = ""


def read_bundle(text: str, file: str) -> tuple[list[Indicator], list[str]]:
    """Indicators of a bundle, and the reasons for what was not taken, each after `: ` or ` id: `."""
    try:
        bundle = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [], [f": not JSON: {error}"]
    objects = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle" or not isinstance(objects, list):
        return [], [': not a STIX bundle; it is {"type": "bundle", "id": …, "objects": […]}']
    names = _identities(objects)
    taken: list[Indicator] = []
    not_taken: list[str] = []
    for where, one in _latest(objects).items():
        try:
            taken += _indicators(one, names, file)
        except NotTaken as reason:
            not_taken.append(f" {where}: {reason}")
    return taken, not_taken


def _latest(objects: list[Any]) -> dict[str, dict[str, Any]]:
    """The indicators by id, of each the version modified last (STIX 2.1, 3.6), in the order of the bundle."""
    latest: dict[str, dict[str, Any]] = {}
    for number, one in enumerate(objects):
        if not isinstance(one, dict) or one.get("type") != "indicator":
            continue
        where = str(one.get("id", f"objects[{number}]"))
        # RFC 3339 in UTC, always with Z: the order of the texts is that of the times.
        if where not in latest or str(one.get("modified", "")) > str(latest[where].get("modified", "")):
            latest[where] = one
    return latest


def _identities(objects: list[Any]) -> dict[str, str]:
    """Who is behind the references: identity id -> name."""
    return {
        str(one["id"]): str(one["name"])
        for one in objects
        if isinstance(one, dict) and one.get("type") == "identity" and "id" in one and "name" in one
    }


def _indicators(one: dict[str, Any], names: dict[str, str], file: str) -> Iterator[Indicator]:
    if one.get("spec_version") != "2.1":
        raise NotTaken("not of STIX 2.1: its spec_version is not 2.1")
    try:
        found = _Object.model_validate(one)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise NotTaken(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if found.revoked:
        raise NotTaken("revoked by its source")
    if found.pattern_type != "stix":
        raise NotTaken(f"a pattern of type {found.pattern_type} is not read; only stix")
    start = _ns(found.valid_from)
    end = _ns(found.valid_until) if found.valid_until else NO_END_NS
    if end <= start:
        raise NotTaken("valid_until is not after valid_from")
    values = values_of(found.pattern)
    return (
        Indicator(
            what=what,
            value=value,
            id=found.id,
            name=found.name,
            source=names.get(found.created_by_ref, found.created_by_ref) or file,
            valid_from_ns=start,
            valid_until_ns=end,
            confidence=-1 if found.confidence is None else found.confidence,
        )
        for what, value in values
    )


def _ns(at: datetime) -> int:
    seconds = int(at.replace(microsecond=0).timestamp())
    return min(max(seconds * 1_000_000_000 + at.microsecond * 1_000, -NO_END_NS), NO_END_NS)
