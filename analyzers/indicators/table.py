"""The text of a CSV file of indicators in; the indicators out, and the lines that were not taken with the reason."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import Final

from analyzers.indicators.indicator import NO_END_NS, WHAT, Indicator, normal
from policy.values import suggestion

COLUMNS: Final = ("type", "value", "name", "source", "valid_from", "valid_until", "confidence")
_NEEDED: Final = ("type", "value")


def read_table(text: str, file: str) -> tuple[list[Indicator], list[str]]:
    """Rows under a header of COLUMNS; `type` and `value` are needed. Reasons come after `:line `."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    taken: list[Indicator] = []
    not_taken: list[str] = []
    try:
        if wrong := _header(list(reader.fieldnames or ())):
            return [], [wrong]
        for row in reader:
            line = reader.line_num
            try:
                taken.append(_indicator(row, file))
            except ValueError as reason:
                not_taken.append(f":{line} {reason}")
    except csv.Error as error:
        not_taken.append(f":{reader.reader.line_num} not CSV: {error}; the lines from here on were not taken")
    return taken, not_taken


def _header(names: list[str]) -> str:
    for name in names:
        if name not in COLUMNS:
            hint = suggestion(str(name), list(COLUMNS))
            return f":1 there is no column '{name}'{hint}; the columns are {', '.join(COLUMNS)}"
    missing = [name for name in _NEEDED if name not in names]
    return (
        f":1 the column {' and '.join(missing)} is missing; the first line names the columns"
        if missing
        else ""
    )


def _indicator(row: dict[str, str | None], file: str) -> Indicator:
    if None in row or None in row.values():
        raise ValueError("has more or fewer values than the first line has columns")
    cells = {name: (value or "").strip() for name, value in row.items()}
    what = cells["type"]
    if what not in WHAT:
        raise ValueError(
            f"there is no type '{what}'{suggestion(what, list(WHAT))}; the types are {', '.join(WHAT)}"
        )
    value = normal(what, cells["value"])
    start, end = _time(cells, "valid_from", -NO_END_NS), _time(cells, "valid_until", NO_END_NS)
    if end <= start:
        raise ValueError("valid_until is not after valid_from")
    confidence = cells.get("confidence", "")
    if confidence and not (confidence.isdecimal() and int(confidence) <= 100):
        raise ValueError(f"confidence is a number from 0 to 100, not '{confidence}'")
    return Indicator(
        what=what,
        value=value,
        id=f"{what}-{hashlib.sha256(f'{file} {what} {value}'.encode()).hexdigest()[:12]}",
        name=cells.get("name", ""),
        source=cells.get("source", "") or file,
        valid_from_ns=start,
        valid_until_ns=end,
        confidence=int(confidence) if confidence else -1,
    )


def _time(cells: dict[str, str], name: str, otherwise: int) -> int:
    text = cells.get(name, "")
    if not text:
        return otherwise
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{name} '{text}' is not a time; write it like 2026-11-23T12:00:00Z or 2026-11-23"
        ) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000_000 + at.microsecond * 1_000
