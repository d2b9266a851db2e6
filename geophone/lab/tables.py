"""Comparisons in; a table for people, JSON for programs, Markdown for the documentation out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from geophone.lab.compare import Comparison, Row, Verdict

_MARKS = {Verdict.RIGHT: "●", Verdict.MISSED: "✗", Verdict.NOT_MEASURABLE: "○"}
_PAGE = """\
# What the sensor measures, against the truth

Made by `geophone lab truth --markdown FILE`: real stacks over a link that writes down what it does to each frame
([lab.md](lab.md)). *True* is what the link, the clients and the recording say, *measured* is what Geophone says of the
captures. ● right: the error is at most what is allowed. ✗ missed. ○ not measurable: one tap cannot know it, and no
figure is given. Histograms keep durations to 1 %.

Each scenario has two tables: what the analyzers measure, and what the SLA report (`geophone sla`) says of the conduit
`c-room-control` from the same captures. There, the true round trips are those of every conversation of the conduit
in the link's own log, requests and their answers are paired in it anew, and an answer is good within the conduit's
deadline. What queues on the way reads as the server's time, in the truth as well: its own stands beside it.
"""
_THROUGH_REPORT = "Through the SLA report, conduit c-room-control"
_COLUMNS = ("", "figure", "tap", "true", "measured", "error", "allowed", "note")


def print_comparison(console: Console, one: Comparison) -> None:
    """A scenario's table."""
    _print_rows(console, f"{one.scenario}: {one.title}", one.rows)
    if one.reported:
        _print_rows(console, _THROUGH_REPORT, one.reported)
    console.print(Text(_summary(one)))


def _print_rows(console: Console, title: str, rows: Sequence[Row]) -> None:
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for name in _COLUMNS:
        table.add_column(
            name, justify="right" if name in ("true", "measured", "error", "allowed") else "left"
        )
    for row in rows:
        style = "bold red" if row.verdict is Verdict.MISSED else ""
        table.add_row(_MARKS[row.verdict], *_cells(row), style=style)
    console.print(table)


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Everything, by name."""
    return [
        {
            "scenario": one.scenario,
            "title": one.title,
            "link_late_p99_ms": one.link_late_p99_ms,
            "rows": _plain(one.rows),
            "reported": _plain(one.reported),
        }
        for one in comparisons
    ]


def _plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{**asdict(row), "error": row.error, "verdict": row.verdict.value} for row in rows]


def as_markdown(comparisons: Sequence[Comparison]) -> str:
    """A page with one table a scenario."""
    parts = [_PAGE]
    for one in comparisons:
        lines = [f"## {one.scenario}: {one.title}", "", *_lines(one.rows)]
        if one.reported:
            lines += ["", f"{_THROUGH_REPORT}:", "", *_lines(one.reported)]
        parts.append("\n".join([*lines, "", _summary(one)]))
    return "\n".join((parts[0], "\n\n".join(parts[1:]))) + "\n"


def _lines(rows: Sequence[Row]) -> list[str]:
    return [
        f"| {' | '.join(_COLUMNS)} |",
        "|---|---|---|---:|---:|---:|---:|---|",
        *(f"| {' | '.join((_MARKS[row.verdict], *_cells(row)))} |" for row in rows),
    ]


def _summary(one: Comparison) -> str:
    counts = [
        (verdict, sum(row.verdict is verdict for row in (*one.rows, *one.reported))) for verdict in Verdict
    ]
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count)
    late = one.link_late_p99_ms
    return said if late is None else f"{said}; the link was at most {late:.2f} ms late in 99 % of the frames"


def _cells(row: Row) -> tuple[str, ...]:
    error = "–" if row.error is None else f"{_figure(row, row.error, sign='+')}"
    allowed = "–" if row.measured is None else _figure(row, row.allowed)
    if row.floor and row.measured is not None:
        allowed = f"+{allowed}"
    measured = "not measurable" if row.measured is None else _with_unit(row, row.measured)
    return row.what, row.tap, _with_unit(row, row.true), measured, error, allowed, row.note


def _with_unit(row: Row, value: float) -> str:
    unit = {"ms": " ms", "%": " %"}.get(row.unit, "")
    return _figure(row, value) + unit


def _figure(row: Row, value: float, sign: str = "") -> str:
    digits = {"ms": 2, "%": 3}.get(row.unit, 0)
    return f"{value:{sign},.{digits}f}"
