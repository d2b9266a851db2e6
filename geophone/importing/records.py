"""A row of an export in; an approval or a login as replays read it out, or why it is not taken."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from geophone.importing.mapping import Constant, Mapping
from geophone.importing.rows import Row, Unreadable
from policy.values import parse_identifier

#: A value that is told in a reason is cut: a row may hold anything.
_SHOWN: Final = 40
_YES: Final = frozenset({"yes", "true", "1"})
_NO: Final = frozenset({"no", "false", "0"})

#: A row in, its canonical line out; None where `where` passes it over. Raises Unreadable.
Convert = Callable[[Row, Mapping], str | None]


def approval_line(row: Row, mapping: Mapping) -> str | None:
    """An approval; its interval is [start, end), to the second."""
    if not _wanted(row, mapping):
        return None
    start, end = (_moment(name, _field(name, row, mapping), mapping) for name in ("start", "end"))
    if end <= start:
        raise Unreadable("ends before it starts")
    return _line(
        {
            "approver": _field("approver", row, mapping, needed=False),
            "end": _utc(end),
            "ref": _identifier("ref", _field("ref", row, mapping)),
            "rule": _identifier("rule", _field("rule", row, mapping)),
            "start": _utc(start),
        }
    )


def login_line(row: Row, mapping: Mapping) -> str | None:
    """A login that the gateway wrote down, with whether a second factor was given."""
    if not _wanted(row, mapping):
        return None
    source = _field("source", row, mapping)
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        raise Unreadable(f"source: {_shown(source)} is not an address") from None
    word = _field("second_factor", row, mapping).casefold()
    if word not in _YES | _NO:
        raise Unreadable(f"second_factor: {_shown(word)} is neither yes nor no; translate it in `values`")
    return _line(
        {
            "at": _utc(_moment("at", _field("at", row, mapping), mapping)),
            "second_factor": word in _YES,
            "source": str(address),
            "user": _field("user", row, mapping, needed=False),
        }
    )


def _wanted(row: Row, mapping: Mapping) -> bool:
    return all(row.get(column, "") in allowed for column, allowed in mapping.where.items())


def _field(name: str, row: Row, mapping: Mapping, *, needed: bool = True) -> str:
    column = mapping.columns.get(name)
    if isinstance(column, Constant):
        return column.value
    if column is not None and column not in row:
        raise Unreadable(f"{name}: there is no column {column}")
    text = row[column].strip() if column is not None else ""
    text = mapping.values.get(name, {}).get(text, text)
    if needed and not text:
        raise Unreadable(f"{name}: empty")
    if len(text) > 200:
        raise Unreadable(f"{name}: longer than 200 characters")
    return text


def _identifier(name: str, text: str) -> str:
    try:
        return parse_identifier(text)
    except ValueError:
        raise Unreadable(f"{name}: {_shown(text)} is not an id; translate it in `values`") from None


def _moment(name: str, text: str, mapping: Mapping) -> datetime:
    times = mapping.times
    try:
        at = datetime.strptime(text, times.format) if times.format else datetime.fromisoformat(text)  # noqa: DTZ007
        zoned = at.replace(tzinfo=ZoneInfo(times.zone)) if at.tzinfo is None else at
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name}: {_shown(text)} is not a time") from None


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _line(values: dict[str, str | bool]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"))
