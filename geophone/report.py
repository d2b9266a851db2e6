"""The closing summary of a replay: figures in, text for a terminal out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzers.attribution import because
from analyzers.findings import Finding, Severity
from analyzers.incidents import incidents_of
from analyzers.sla import ScopeReport, Status, milliseconds
from analyzers.suppressing import SuppressionUse
from geophone.runner import ReplayResult

#: Shape and word beside the colour: a status must be readable without colour.
_STATUS_STYLE = {
    Status.MET: ("●", "blue"),
    Status.AT_RISK: ("▲", "yellow"),
    Status.BREACHED: ("◆", "bold red"),
    Status.NO_DATA: ("○", "dim"),
}
_SEVERITY_STYLE = {
    Severity.CRITICAL: ("◆", "bold red"),
    Severity.HIGH: ("▲", "yellow"),
    Severity.MEDIUM: ("▲", "yellow"),
    Severity.LOW: ("○", "dim"),
    Severity.INFO: ("○", "dim"),
}
#: From this width on, names and targets stand beside the figures.
_WIDE_COLUMNS = 120
#: Width of a summary that goes to a file or a pipe.
_PIPE_COLUMNS = 140
#: Findings listed one by one; the rest is counted.
_FINDINGS_SHOWN = 12
#: Incidents listed one by one.
_INCIDENTS_SHOWN = 6


class _SummaryConsole(Console):
    """Rich ends the program with 1 when its reader leaves, which stands for findings here."""

    def on_broken_pipe(self) -> None:
        """Leave the error, which is being handled, to the command line."""
        raise


def summary_console() -> Console:
    """A console on standard output that fits the terminal, and is wide where there is none."""
    console = _SummaryConsole()
    return console if console.is_terminal or "COLUMNS" in os.environ else _SummaryConsole(width=_PIPE_COLUMNS)


def print_result(console: Console, result: ReplayResult) -> None:
    """Print one capture's summary."""
    console.print()
    console.print(
        Text(f"{result.capture.name}", style="bold"),
        Text(f"sha256 {result.capture.sha256[:16]}…", style="dim"),
    )
    _print_packets(console, result)
    _print_protocols(console, result)
    seen = [scope for scope in (*result.zones, *result.conduits) if scope.minutes_seen]
    if seen:
        _print_scopes(console, "Zone", [zone for zone in result.zones if zone.minutes_seen])
        _print_scopes(console, "Conduit", [conduit for conduit in result.conduits if conduit.minutes_seen])
    unseen = [zone.scope for zone in result.zones if not zone.minutes_seen]
    if unseen:
        console.print(Text(f"○ no data: {', '.join(unseen)}", style="dim"))
    if result.packets_outside:
        text = (
            f"▲ {_count(result.packets_outside, 'packet')} between addresses that no zone of the policy holds"
        )
        console.print(text, style="yellow")
    _print_findings(console, result.findings)
    _print_suppressions(console, result.suppressions)
    _print_incidents(console, result.findings)
    console.print(Text(f"○ {result.compared}", style="dim"))
    for detection, count in result.evicted.items():
        console.print(f"▲ {forgotten(detection, count)}", style="yellow")
    if result.together:
        text = (
            f"▲ {_count(result.together, 'conversation')} of a minute with very many were measured together, those "
            "that said least; `detections.kept` in the policy gives more room"
        )
        console.print(text, style="yellow")
    if result.polls_without_room:
        console.print(f"▲ {polls_without_room(result.polls_without_room)}", style="yellow")
    if result.already_stored:
        console.print(
            "Already in the store: same capture, judged by the same. No row was added.", style="dim"
        )


#: Detections that put what they see in order before they judge it.
_IN_ORDER = ("M4", "Q7")


def forgotten(detection: str, count: int) -> str:
    """That a detection had no room for all that it saw, in words."""
    if detection in _IN_ORDER:
        return (
            f"{detection} left out {_count(count, 'row')} that came after later ones had been judged, or that it had "
            "no room for; `detections.kept` in the policy gives more room"
        )
    return (
        f"{detection} had no room for {_count(count, 'source')}, the least active ones: a slow scan among them may be "
        "missed; `detections.kept` in the policy gives more room"
    )


def polls_without_room(count: int) -> str:
    """That the watch on polls had no room for all that it saw, in words."""
    return (
        f"polls: no room for {_count(count, 'record')} of who asks whom, the latest or the least active ones: "
        "their missed polls and outages may not be told"
    )


def _print_packets(console: Console, result: ReplayResult) -> None:
    tally = result.tally
    if not tally.packets:
        console.print("No packets in the capture.")
        return
    start, end = _utc(result.first_ns), _utc(result.last_ns)
    seconds = (result.last_ns - result.first_ns) / 1e9
    console.print(
        f"{_count(tally.packets, 'packet')}, {_count(tally.flows, 'flow')}, {seconds:,.1f} s: {start} to {end} UTC"
    )
    parts = [f"coverage {tally.coverage:.2%}" if tally.coverage is not None else "coverage unknown"]
    for count, what in (
        (tally.dropped_packets, "dropped by the capture"),
        (tally.unseen_segments, "acknowledged but never seen"),
        (tally.duplicate_packets, "SPAN duplicates left out"),
        (tally.unread_packets, "not decoded"),
        (tally.malformed_packets, "malformed"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    console.print(" · ".join(parts))
    cut = result.summary.get("cut_at_byte")
    if cut is not None:
        console.print(
            f"▲ the capture is cut at byte {cut:,}: every whole packet before it was read", style="yellow"
        )
    if tally.anomalies:
        listed = ", ".join(
            f"{kind} ({layer}) {count:,}" for (layer, kind), count in tally.anomalies.most_common(6)
        )
        console.print(f"anomalies: {listed}")


def _print_protocols(console: Console, result: ReplayResult) -> None:
    tally = result.tally
    if not tally.flows_by_service:
        return
    services: Counter[str] = Counter()
    for (service, _), count in tally.flows_by_service.items():
        services[service] += count
    texts = []
    for service, flows in services.most_common():
        text = f"{service or 'unknown'} {_count(flows, 'flow')}"
        if service == "modbus":
            outcomes = ", ".join(f"{count:,} {name}" for name, count in tally.outcomes.most_common())
            text += f" ({outcomes})"
        texts.append(text)
    console.print("protocols: " + " · ".join(texts))


def _print_scopes(console: Console, title: str, scopes: Sequence[ScopeReport]) -> None:
    """Measured / target for each scope; a narrow terminal leaves names out, and units say themselves."""
    if not scopes:
        return
    wide = console.width >= _WIDE_COLUMNS
    table = Table(box=None, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
    table.add_column(title, no_wrap=True)
    table.add_column("Status", no_wrap=True)
    for name in ("RTT p99", "Answer p99", "Available", "Loss", "Minutes"):
        table.add_column(
            f"{name} / target" if wide and name != "Minutes" else name, justify="right", no_wrap=True
        )
    for scope in scopes:
        shape, style = _STATUS_STYLE[scope.verdict.status]
        target = scope.target
        table.add_row(
            Text.assemble(scope.scope, " ", (scope.name, "dim")) if wide else Text(scope.scope),
            Text(f"{shape} {scope.verdict.status}", style=style),
            *(
                Text.assemble(value, (f" / {limit}" if wide else "", "dim"))
                for value, limit in (
                    (_time(scope.rtt_p99_ns), milliseconds(target.rtt_p99_ns)),
                    (_time(scope.transaction_p99_ns), milliseconds(target.transaction_p99_ns)),
                    (_share(scope.availability, 3), f"{target.availability:.2%}"),
                    (_share(scope.loss, 2), f"{target.loss:.2%}"),
                )
            ),
            Text.assemble(str(scope.minutes_valid), (f" of {scope.minutes_seen}", "dim")),
        )
    console.print()
    console.print(table)
    for scope in scopes:
        shape, style = _STATUS_STYLE[scope.verdict.status]
        for reason in scope.verdict.reasons:
            console.print(Text(f"  {shape} {scope.scope}: {reason}", style=style))
        for words in because(scope.target, scope.causes, *scope.sides):
            console.print(Text(f"    {scope.scope}: {words}", style="dim"))


def _print_findings(console: Console, found: Sequence[Finding]) -> None:
    console.print()
    findings = [finding for finding in found if finding.suppression is None]
    if not findings:
        console.print("No open findings." if found else "No findings.", style="bold")
        return
    by_severity = Counter(finding.severity for finding in findings)
    counts = ", ".join(f"{by_severity[s]} {s.word}" for s in reversed(Severity) if by_severity[s])
    console.print(Text(f"{_count(len(findings), 'finding')}: {counts}", style="bold"))
    for finding in _shown_first(findings, _FINDINGS_SHOWN):
        shape, style = _SEVERITY_STYLE[finding.severity]
        where = ends_of(finding)
        frame = f"frame {finding.evidence.operations[0].frame}" if finding.evidence.operations else ""
        line = Text(f"{shape} {finding.severity.word:<8} ", style=style)
        line.append(f"{finding.kind}  {finding.title}", style="default")
        console.print(line)
        console.print(
            Text(
                f"             {where}  {_utc(finding.first_ns)} UTC  ×{finding.count:,}  {frame}  {finding.id[:8]}",
                style="dim",
            )
        )
    if len(findings) > _FINDINGS_SHOWN:
        console.print(
            f"  … and {len(findings) - _FINDINGS_SHOWN} more: --findings FILE writes them all", style="dim"
        )


def _print_suppressions(console: Console, uses: Sequence[SuppressionUse]) -> None:
    """What the policy keeps out of the queue; an expired one, and one that met nothing, speak up."""
    for use in uses:
        shape, style = ("▲", "yellow") if use.expired or use.idle else ("○", "dim")
        console.print(Text(f"{shape} {suppression_text(use)}", style=style))


def suppression_text(use: SuppressionUse) -> str:
    """One suppression and what became of it, in a line."""
    parts = []
    if use.suppressed:
        parts.append(f"{_count(use.suppressed, 'finding')} kept out of the queue")
    if use.expired:
        parts.append(
            f"expired: {_count(use.expired, 'finding')} that it covered {'are' if use.expired > 1 else 'is'} open"
        )
    what = ", ".join(parts) or "met nothing here; remove it where its cause is gone"
    return f"suppression {use.id} ({use.owner}, until {use.until}): {what}"


def _shown_first(findings: Sequence[Finding], most: int) -> list[Finding]:
    """The gravest of each kind before the second of any, so that no kind hides another; the worst first."""
    places: Counter[str] = Counter()
    turns = []
    for finding in sorted(findings, key=_gravest):
        turns.append(((places[finding.kind], *_gravest(finding)), finding))
        places[finding.kind] += 1
    turns.sort(key=lambda turn: turn[0])
    return sorted((finding for _, finding in turns[:most]), key=_gravest)


def _gravest(finding: Finding) -> tuple[int, int, str, str]:
    return -finding.severity, finding.first_ns, finding.kind, finding.id


def _print_incidents(console: Console, findings: Sequence[Finding]) -> None:
    """What of the findings belongs together, where any of it is open; of one finding there is nothing to say."""
    if sum(finding.suppression is None for finding in findings) < 2:
        return
    incidents = {
        incident.worst.id: incident
        for incident in incidents_of(findings)
        if any(finding.suppression is None for finding in incident.findings)
    }
    console.print()
    console.print(Text(_count(len(incidents), "incident"), style="bold"))
    for worst in _shown_first([incident.worst for incident in incidents.values()], _INCIDENTS_SHOWN):
        incident = incidents[worst.id]
        shape, style = _SEVERITY_STYLE[incident.severity]
        kinds = Counter(finding.kind for finding in incident.findings if finding.suppression is None)
        listed = ", ".join(
            f"{kind} ×{count:,}" if count > 1 else kind for kind, count in sorted(kinds.items())
        )
        line = Text(f"{shape} {incident.severity.word:<8} ", style=style)
        hidden = f"; {incident.suppressed:,} more suppressed" if incident.suppressed else ""
        line.append(f"{_count(kinds.total(), 'finding')}: {listed}{hidden}", style="default")
        console.print(line)
        zones = dict.fromkeys(
            zone for finding in incident.findings for zone in (finding.src_zone, finding.dst_zone) if zone
        )
        span = f"{_utc(incident.first_ns)} to {_utc(incident.last_ns)} UTC"
        where = f"{ends_of(worst)}  {span}  {', '.join(zones)}  {incident.id[:8]}"
        console.print(Text(f"             {where}", style="dim"))
    if len(incidents) > _INCIDENTS_SHOWN:
        console.print(
            f"  … and {len(incidents) - _INCIDENTS_SHOWN} more: geophone incidents lists them all",
            style="dim",
        )


def ends_of(finding: Finding) -> str:
    """Who, and to whom, as one reads it: either may be missing, where nobody is known or many are meant.

    Both are where it is about the sensor itself.
    """
    target = f"[{finding.dst_ip}]" if ":" in finding.dst_ip else finding.dst_ip
    if finding.dst_port:
        target = f"{target}:{finding.dst_port}"
    source = finding.src_ip or ("?" if finding.dst_ip else "the sensor")
    return f"{source} → {target}" if finding.dst_ip else source


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def _time(value_ns: int | None) -> str:
    return "–" if value_ns is None else milliseconds(value_ns)


def _share(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}%}"
