"""An SLA report as one HTML file: for a review, a printer, an archive. It loads nothing and runs nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analyzers.sla import Status
from analyzers.sla_report_form import Scope, SlaReport
from dashboards import text

_FOLDER: Final = Path(__file__).parent / "templates" / "documents"
#: Shape beside colour and word: a status is readable in black and white.
SHAPES: Final = {Status.MET: "●", Status.AT_RISK: "▲", Status.BREACHED: "◆", Status.NO_DATA: "○"}
_WORST_FIRST: Final = (Status.BREACHED, Status.AT_RISK, Status.NO_DATA, Status.MET)


def html_text(report: SlaReport) -> str:
    """The report as a whole document; the same report gives the same bytes."""
    local = ZoneInfo(report.time_zone)

    def here(moment: datetime | None) -> str:
        return "–" if moment is None else f"{moment.astimezone(local):%Y-%m-%d %H:%M %z}"

    counts = {status: sum(scope.status is status for scope in report.scopes) for status in _WORST_FIRST}
    return (
        _environment()
        .get_template("sla_report.html")
        .render(
            report=report,
            counts={status: count for status, count in counts.items() if count},
            worst_first=sorted(report.scopes, key=_rank),
            shapes=SHAPES,
            here=here,
            style=Markup((_FOLDER / "sla_report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        )
    )


def _rank(scope: Scope) -> tuple[int, str, str]:
    return _WORST_FIRST.index(scope.status), scope.kind, scope.id


def number(value: float | int | None, digits: int | None = None) -> str:
    """A figure for people: at most six figures, thousands apart, an en dash where nothing was measured."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return text.count(value)
    if digits is not None:
        return f"{value:,.{digits}f}".replace(",", "\u202f")
    return f"{value:,.6g}".replace(",", "\u202f")


def thousandths(value_ms: float | None) -> str:
    """A duration in ms: three significant figures, which is what a percentile within 1 % is worth."""
    return "–" if value_ms is None else text.significant(value_ms)


def _shown(value: object) -> object:
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number, ms=thousandths, utc=lambda moment: f"{moment:%Y-%m-%d %H:%M}Z" if moment else "–"
    )
    return environment
