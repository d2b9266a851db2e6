"""An SLA report for a terminal: the report in, a table and its reasons out."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzers.sla import Status
from analyzers.sla_report_form import Scope, SlaReport
from dashboards.sla_document import SHAPES, number, thousandths
from dashboards.text import visible

_STYLES = {Status.MET: "blue", Status.AT_RISK: "yellow", Status.BREACHED: "bold red", Status.NO_DATA: "dim"}


def print_report(console: Console, report: SlaReport) -> None:
    """Print the report: the period, a line a scope, then what needs words."""
    period, seen = report.period, report.watched
    console.print(
        Text(f"{visible(report.site_name)}: SLA report {report.period_name}".rstrip(), style="bold")
    )
    console.print(
        f"{period.start_local:%Y-%m-%d %H:%M %z} to {period.end_local:%Y-%m-%d %H:%M %z} {report.time_zone} "
        f"({period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} UTC), {period.minutes:,} minutes",
        highlight=False,
    )
    console.print(
        f"seen {seen.minutes:,} minutes, {seen.packets:,} packets; {seen.dropped_packets:,} dropped by the capture, "
        f"{seen.unseen_segments:,} segments acknowledged but never seen",
        highlight=False,
    )
    console.print()
    console.print(_table(report))
    console.print()
    for scope in report.scopes:
        _print_words(console, scope)
    _print_indicators(console, report)
    text = (
        f"policy {visible(report.policy_name)} sha256 {report.policy_sha256} · method {report.method} · "
        f"Geophone {report.version}"
    )
    console.print(Text(text, style="dim"))


def _table(report: SlaReport) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Scope", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    # The budget is the whole period's, however short the report: what is over its target may have most of it left.
    days = round(report.budget_minutes / 1440)
    for title in (
        "Available % / target", f"Left min / of {days} d", "Burn", "Answer p99 ms", "RTT p99 ms", "Loss %", "Minutes",
    ):  # fmt: skip
        table.add_column(title, justify="right", no_wrap=True)
    for scope in report.scopes:
        budget, minutes = scope.availability, scope.minutes
        left = number(budget.left_minutes, 2) if budget.slots else "–"
        table.add_row(
            Text(f"{scope.kind} {scope.id}"),
            Text(f"{SHAPES[scope.status]} {scope.status}", style=_STYLES[scope.status]),
            _against(number(budget.achieved_percent, 3), number(scope.target.availability_percent)),
            _against(left, number(budget.allowed_minutes, 2)),
            number(budget.burn_rate, 2),
            _against(thousandths(scope.transaction.p99_ms), number(scope.target.transaction_p99_ms)),
            _against(thousandths(scope.rtt.p99_ms), number(scope.target.rtt_p99_ms)),
            _against(number(scope.loss.percent, 3), number(scope.target.loss_percent)),
            Text.assemble(number(minutes.counted), (f" of {number(minutes.seen)}", "dim")),
        )
    return table


def _print_indicators(console: Console, report: SlaReport) -> None:
    for one in report.indicators:
        if one.value is None:
            line = Text(f"○ {one.number} {one.name}: not measurable: {one.missing}", style="dim")
        else:
            limit = "" if one.limit is None else f" (limit {number(one.limit)} {one.unit})"
            line = Text(f"  {one.number} {one.name}: {number(one.value)} {one.unit}{limit}; {one.made_of}")
        console.print(line, soft_wrap=True, highlight=False)


def _against(value: str, target: str) -> Text:
    return Text.assemble(value, (f" / {target}", "dim"))


def _print_words(console: Console, scope: Scope) -> None:
    lines = [
        (f"{SHAPES[scope.status]} {scope.id}: {reason}", _STYLES[scope.status]) for reason in scope.reasons
    ]
    lines += [(f"  {scope.id}: {words}", "dim") for words in (*scope.because, *scope.missing)]
    lines += [
        (f"  {scope.id}: {part.minutes:,} minutes excluded by {part.refs}", "dim")
        for part in scope.exclusions
    ]
    lines += [
        (
            f"▲ {scope.id}: {a.kind} {a.rule} from {a.start:%Y-%m-%d %H:%M} to {a.end:%Y-%m-%d %H:%M} UTC",
            "yellow",
        )
        for a in scope.alerts
    ]
    if scope.worst is not None and scope.status in (Status.BREACHED, Status.AT_RISK):
        lines.append((f"  {scope.id}: worst conversation {visible(scope.worst.conversation)}", "dim"))
    for line, style in lines:
        console.print(Text(line, style=style), soft_wrap=True)
