"""An SLA report as JSON and as comma-separated values: the same bytes from the command line and from the API."""

from __future__ import annotations

import csv
import io
import typing
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from analyzers.sla_report_form import Scope, SlaReport

#: Of the report as a whole, in front of every row: rows of several reports can be put under each other.
_OF_REPORT: Final = ("site", "policy_sha256", "method", "version", "period_name")
_PERIOD: Final = ("period_start_utc", "period_end_utc", "period_minutes", "budget_minutes")
_LISTS: Final = ("reasons", "because", "missing", "exclusions", "alerts")
#: What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def json_text(report: SlaReport) -> str:
    """The report as its schema says (`sla_report_form`), indented, with a line's end at the end."""
    return report.model_dump_json(indent=2) + "\n"


def csv_text(report: SlaReport) -> str:
    """One row a scope (RFC 4180), after a row of names; an empty cell is 'not measured'. Times are UTC.

    Columns are those of the schema, in its order, nested names joined by underscores; their units are in the names.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(csv_columns())
    for scope in report.scopes:
        writer.writerow(_cell(value) for value in _row(report, scope))
    return text.getvalue()


def csv_columns() -> tuple[str, ...]:
    """The names of the columns: stable, new ones come at the end of their group with a new version."""
    return (*_OF_REPORT, *_PERIOD, *(name for name, _ in _columns(Scope, ())))


def _row(report: SlaReport, scope: Scope) -> Iterator[object]:
    yield from (getattr(report, name) for name in _OF_REPORT)
    yield report.period.start.isoformat()
    yield report.period.end.isoformat()
    yield report.period.minutes
    yield report.budget_minutes
    for _, path in _columns(Scope, ()):
        yield _value(scope, path)


def _columns(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of columns and where their values are."""
    for name, info in model.model_fields.items():
        here = (*path, name)
        kinds = (info.annotation, *typing.get_args(info.annotation))
        part = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
        if name in _LISTS:
            yield name, here
        elif part is not None:
            yield from _columns(part, here)
        else:
            yield "_".join(here), here


def _value(scope: Scope, path: tuple[str, ...]) -> object:
    value: Any = scope
    for name in path:
        if value is None:
            return None
        value = getattr(value, name)
    if path == ("exclusions",):
        return "; ".join(f"{part.refs}: {part.minutes} min" for part in scope.exclusions)
    if path == ("alerts",):
        return "; ".join(f"{a.kind} {a.rule} {a.start.isoformat()}/{a.end.isoformat()}" for a in scope.alerts)
    if path[-1] in _LISTS:
        return "; ".join(value)
    return value


def _cell(value: object) -> object:
    """A cell that is no formula: names come from a policy and from the wire."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
