"""`geophone incidents`: a store or a file of findings in; its incidents, or one with its time line, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from analyzers.findings import Finding, Severity
from analyzers.incidents import Incident, incidents_of
from geophone.finding_sources import check_id, check_source, findings_of_file, only_one
from geophone.listing import Form, Head, write_rows
from geophone.report import ends_of

_STORE_LIMIT: Final = 500
_FIELDS: Final = (
    "id", "site", "severity", "state", "kind", "title", "findings", "suppressed", "kinds", "zones", "sources",
    "targets", "first", "last",
)  # fmt: skip
_HEADS: Final = (
    Head("short", "Incident", whole=True),
    Head("severity", "Severity", whole=True),
    Head("state", "State", whole=True),
    Head("title", "Gravest finding"),
    Head("findings", "Findings", number=True),
    Head("suppressed", "Suppressed", number=True),
    Head("kinds", "Kinds"),
    Head("zones", "Zones"),
    Head("sources", "Sources"),
    Head("first_shown", "First packet (UTC)", whole=True),
    Head("last_shown", "Last", whole=True),
)
_STEP_FIELDS: Final = (
    "at",
    "id",
    "severity",
    "kind",
    "title",
    "from",
    "to",
    "ends",
    "service",
    "conduit",
    "count",
)
_STEP_HEADS: Final = (
    Head("at_shown", "First packet (UTC)", whole=True),
    Head("severity", "Severity", whole=True),
    Head("kind", "Kind", whole=True),
    Head("title", "The network shows"),
    Head("way", "Zones"),
    Head("ends", "Who and to whom", whole=True),
    Head("count", "Times", number=True),
    Head("short", "Finding", whole=True),
)
_NOTHING: Final = "No incidents."


def print_incidents(incident: str, store_url: str | None, findings_file: Path | None, form: Form) -> None:
    """Print all incidents, or the time line of one. Raises UsageProblem, StoreError."""
    check_source(findings_file, store_url)
    if incident:
        check_id(incident)
    if findings_file is not None:
        _of_file(incident, findings_file, form)
    else:
        _of_store(incident, store_url or "", form)


def _of_file(wanted: str, file: Path, form: Form) -> None:
    found = incidents_of(findings_of_file(file))
    if not wanted:
        # As of a store: what is suppressed whole is no incident to look at, its findings still lead to it.
        shown = [one for one in found if one.suppressed < len(one.findings)]
        rows = [_row_of_findings(one) for one in sorted(shown, key=lambda one: (-one.last_ns, one.id))]
        write_rows(rows, form, _HEADS, _FIELDS, _NOTHING)
        return
    by_finding = {finding.id: one for one in found for finding in one.findings}
    finding_id = only_one([name for name in by_finding if name.startswith(wanted)], wanted, file)
    _print_steps(by_finding[finding_id].findings, form)


def _of_store(wanted: str, url: str, form: Form) -> None:
    from store.answers import AlertFilter
    from store.client import open_store
    from store.queries.alerts import ids_beginning
    from store.queries.incidents import findings_of_incident, list_incidents

    with open_store(url) as store:
        if not wanted:
            page = list_incidents(store, AlertFilter(), limit=_STORE_LIMIT)
            rows = [
                _row(
                    one.id, one.site, Severity(one.severity), one.state, one.kind, one.title, one.alerts,
                    one.suppressed, one.kinds, one.zones, one.sources, one.targets, one.first_ns, one.last_ns,
                )
                for one in page.incidents
            ]  # fmt: skip
            write_rows(rows, form, _HEADS, _FIELDS, _NOTHING)
            return
        finding_id = only_one(list(ids_beginning(store, wanted)), wanted, url)
        _print_steps(findings_of_incident(store, finding_id), form)


def _row_of_findings(one: Incident) -> dict[str, Any]:
    findings = one.findings
    zones = {zone for finding in findings for zone in (finding.src_zone, finding.dst_zone)} - {""}
    return _row(
        one.id,
        findings[0].site,
        one.severity,
        "",
        one.worst.kind,
        one.worst.title,
        len(findings) - one.suppressed,
        one.suppressed,
        sorted({finding.kind for finding in findings}),
        sorted(zones),
        sorted({finding.src_ip for finding in findings} - {""}),
        sorted({finding.dst_ip for finding in findings} - {""}),
        one.first_ns,
        one.last_ns,
    )


def _row(
    id: str,  # noqa: A002 - the reader's word
    site: str,
    severity: Severity,
    state: str,
    kind: str,
    title: str,
    findings: int,
    suppressed: int,
    kinds: Sequence[str],
    zones: Sequence[str],
    sources: Sequence[str],
    targets: Sequence[str],
    first_ns: int,
    last_ns: int,
) -> dict[str, Any]:
    return {
        "id": id,
        "site": site,
        "severity": severity.word,
        "state": state,
        "kind": kind,
        "title": title,
        "findings": findings,
        "suppressed": suppressed,
        "kinds": list(kinds),
        "zones": list(zones),
        "sources": list(sources),
        "targets": list(targets),
        "first": _iso(first_ns),
        "last": _iso(last_ns),
        "short": id[:8],
        "first_shown": _shown(first_ns),
        "last_shown": _shown(last_ns),
    }


def _print_steps(findings: Sequence[Finding], form: Form) -> None:
    write_rows([_step(finding) for finding in findings], form, _STEP_HEADS, _STEP_FIELDS, _NOTHING)


def _step(finding: Finding) -> Mapping[str, Any]:
    ways = list(dict.fromkeys(zone for zone in (finding.src_zone, finding.dst_zone) if zone))
    return {
        "at": _iso(finding.first_ns),
        "id": finding.id,
        "severity": finding.severity.word,
        "kind": finding.kind,
        "title": finding.title,
        "from": finding.src_zone,
        "to": finding.dst_zone,
        "ends": ends_of(finding),
        "service": finding.service,
        "conduit": finding.conduit,
        "count": finding.count,
        "at_shown": _shown(finding.first_ns),
        "way": " → ".join(ways),
        "short": finding.id[:8],
    }


def _iso(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{ns % 1_000_000_000:09d}Z"


def _shown(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"
