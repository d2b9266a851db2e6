"""`geophone policy diff`: two policies, and perhaps captures, in; what changed in meaning and in verdicts out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from analyzers.findings import Finding, Severity
from analyzers.verdict_changes import VerdictChanges, graded_otherwise, verdict_changes
from geophone.report import ends_of
from geophone.runner import ReplayResult, replay
from policy.difference import Change, differences
from policy.loader import LoadedPolicy, load
from sensors.capture import open_capture, spooled

_SHAPES = {"added": "+", "removed": "-", "changed": "~"}
#: (capture, its changed verdicts, zones and conduits whose status changed: name, before, after)
_Compared = tuple[str, VerdictChanges, list[tuple[str, str, str]]]


def print_difference(before: Path, after: Path, captures: Sequence[Path], *, as_json: bool) -> bool:
    """Print what differs; whether anything does that a verdict can depend on. Raises PolicyError and others."""
    one, other = load(before), load(after)
    changes = differences(one.site, other.site)
    compared = [_compared(capture, one, other) for capture in captures]
    if as_json:
        print(json.dumps(_as_json(one, other, changes, compared), indent=2, ensure_ascii=False))  # noqa: T201
    else:
        console = Console(soft_wrap=True, highlight=False)
        _print_changes(console, changes)
        for name, verdicts, statuses in compared:
            _print_verdicts(console, name, verdicts, statuses)
    moved = any(c[1].gone or c[1].new or c[1].changed or c[2] for c in compared)
    return moved or any(not change.only_words for change in changes)


def _compared(capture: Path, one: LoadedPolicy, other: LoadedPolicy) -> _Compared:
    with spooled(open_capture(capture)) as opened:
        old, new = replay(opened, one), replay(opened, other)
    was, now = _statuses(old), _statuses(new)
    moved = [
        (scope, was.get(scope, "not there"), now.get(scope, "not there"))
        for scope in dict.fromkeys((*was, *now))
        if was.get(scope) != now.get(scope)
    ]
    return opened.name, verdict_changes(old.findings, new.findings), moved


def _statuses(result: ReplayResult) -> dict[str, str]:
    zones = {f"zone {zone.scope}": str(zone.verdict.status) for zone in result.zones}
    return zones | {f"conduit {one.scope}": str(one.verdict.status) for one in result.conduits}


def _print_changes(console: Console, changes: Sequence[Change]) -> None:
    if not changes:
        console.print("The policies mean the same.")
    for change in changes:
        words = Text("  (words only)", style="dim") if change.only_words else Text("")
        console.print(Text(f"{_SHAPES[change.what]} {change.section} {change.entry}", style="bold"), words)
        for one in change.keys:
            if change.what == "changed":
                said = f"{one.before or '(left out)'} → {one.after or '(left out)'}"
            else:
                said = one.after or one.before
            console.print(Text(f"    {one.key}: {said}"))


def _print_verdicts(
    console: Console, name: str, verdicts: VerdictChanges, statuses: Sequence[tuple[str, str, str]]
) -> None:
    console.print()
    console.print(
        Text(
            f"{name}: {len(verdicts.new)} findings new, {len(verdicts.gone)} gone, {len(verdicts.changed)} changed, "
            f"{verdicts.same} as before",
            style="bold",
        )
    )
    for shape, found in (("+", verdicts.new), ("-", verdicts.gone)):
        for finding in found:
            console.print(Text(f"{shape} {_told(finding)}"))
    for one, other in verdicts.changed:
        console.print(Text(f"~ {_told(other)}"))
        for field in graded_otherwise(one, other):
            console.print(Text(f"    {field}: {_shown(one, field)} → {_shown(other, field)}"))
    for scope, was, now in statuses:
        console.print(Text(f"~ {scope}: {was} → {now}"))


def _told(finding: Finding) -> str:
    under = f" (under suppression {finding.suppression.id})" if finding.suppression else ""
    return (
        f"{finding.severity.word} {finding.kind} {finding.title}: {ends_of(finding)} ×{finding.count}{under}"
    )


def _shown(finding: Finding, field: str) -> str:
    value = getattr(finding, field)
    if isinstance(value, Severity):
        return value.name.lower()
    if field == "suppression":
        return value.id if value else "(none)"
    return str(value) or "(none)"


def _as_json(
    one: LoadedPolicy, other: LoadedPolicy, changes: Sequence[Change], compared: Sequence[_Compared]
) -> dict[str, Any]:
    def short(finding: Finding) -> dict[str, Any]:
        fields = {
            "id",
            "kind",
            "title",
            "src_ip",
            "dst_ip",
            "dst_port",
            "first_ns",
            "severity",
            "suppression",
        }
        return finding.model_dump(mode="json", include=fields)

    return {
        "before": {"name": one.name, "sha256": one.sha256},
        "after": {"name": other.name, "sha256": other.sha256},
        "changes": [asdict(change) | {"only_words": change.only_words} for change in changes],
        "captures": [
            {
                "name": name,
                "new": [short(finding) for finding in verdicts.new],
                "gone": [short(finding) for finding in verdicts.gone],
                "changed": [
                    {
                        "finding": short(now),
                        "fields": {
                            field: [_shown(was, field), _shown(now, field)]
                            for field in graded_otherwise(was, now)
                        },
                    }
                    for was, now in verdicts.changed
                ],
                "same": verdicts.same,
                "statuses": [{"scope": s, "before": was, "after": now} for s, was, now in statuses],
            }
            for name, verdicts, statuses in compared
        ],
    }
