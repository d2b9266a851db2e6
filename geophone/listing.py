"""Rows for people or for machines: a table, a JSON array or CSV on standard output."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from geophone.report import summary_console

Form = Literal["table", "json", "csv"]


@dataclass(frozen=True, slots=True)
class Head:
    """A column for people: its field, its title."""

    field: str
    title: str
    number: bool = False
    #: Never broken over lines: what a reader searches for.
    whole: bool = False


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """What the flags of a command ask for."""
    if as_json:
        return "json"
    return "csv" if as_csv else "table"


def write_rows(
    rows: Sequence[Mapping[str, Any]], form: Form, heads: Sequence[Head], fields: Sequence[str], nothing: str
) -> None:
    """Write rows; for people the columns of `heads` that hold anything, for machines all `fields`.

    `nothing` is said where there are no rows.
    """
    if form == "json":
        chosen = [{name: row[name] for name in fields} for row in rows]
        print(json.dumps(chosen, indent=1, ensure_ascii=False))  # noqa: T201
        return
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _flat(row[name]) for name in fields} for row in rows)
        return
    console = summary_console()
    if not rows:
        console.print(nothing)
        return
    heads = [head for head in heads if any(_flat(row[head.field]) for row in rows)]
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in heads:
        justify: Literal["left", "right"] = "right" if head.number else "left"
        shown.add_column(head.title, justify=justify, overflow="fold", no_wrap=head.whole or head.number)
    for row in rows:
        # Text, not markup: what devices call themselves is not ours to interpret.
        shown.add_row(*(Text(_flat(row[head.field])) for head in heads))
    console.print(shown)


def warn(count: int, what: str) -> None:
    """Say on standard error that something is missing, where something is."""
    if count:
        Console(stderr=True).print(f"{count:,} {what}", style="yellow")


def _flat(value: object) -> str:
    """One cell."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(_flat, value))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
