"""Rules and indicators checked; rules run over what a store holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.text import Text

from analyzers.findings import Finding, canonical_order
from analyzers.suppressing import Suppressions
from geophone import __version__
from geophone.errors import UsageProblem
from geophone.given import read_indicators, read_rules
from geophone.report import ends_of
from geophone.runner import write_findings
from policy.loader import loads
from policy.zoning import compile_site

_SEVERITIES = ("", "info", "low", "medium", "high", "critical")


def check_rules(folder: Path) -> int:
    """Print what is wrong with each rule of a folder; the number of problems."""
    loaded = read_rules(folder)
    console = _console()
    for rule in loaded.rules.rules:
        severity = _SEVERITIES[rule.base_severity]
        console.print(Text(f"● {rule.file}: {rule.id}, {severity}, looks at {rule.service.name}"))
    for problem in loaded.problems:
        console.print(Text(f"◆ {problem}", style="red"))
    console.print(f"{len(loaded.rules.rules):,} rules can be run, {len(loaded.problems):,} problems.")
    console.print(Text(f"sha256 {loaded.rules.sha256}", style="dim"))
    return len(loaded.problems)


def check_indicators(files: tuple[Path, ...]) -> int:
    """Print what is taken of files of indicators, and what is not; the number of what is not."""
    loaded = read_indicators(files)
    console = _console()
    for reason in loaded.not_taken:
        console.print(Text(f"◆ {reason}", style="red"))
    kinds = Counter(one.what for one in loaded.indicators.indicators)
    listed = ", ".join(f"{count:,} {what}" for what, count in sorted(kinds.items())) or "nothing"
    console.print(Text(f"Taken: {listed}. Not taken: {len(loaded.not_taken):,}."))
    console.print(Text(f"sha256 {loaded.indicators.sha256}", style="dim"))
    return len(loaded.not_taken)


def hunt(store_url: str, rules_path: Path, *, replay_id: str, findings_file: Path | None) -> list[Finding]:
    """Run rules over the rows of a store; print and give what they find, in canonical order."""
    from analyzers.rules.running import RuleRun
    from store.client import open_store
    from store.queries.history import decoded_rows, judged_replays

    loaded = read_rules(rules_path)
    console = _console()
    for problem in loaded.problems:
        console.print(Text(f"◆ {problem}", style="red"))
    found: list[Finding] = []
    with open_store(store_url) as store:
        replays = judged_replays(store, replay_id)
        if replay_id and not replays:
            raise UsageProblem(f"--replay {replay_id}: the store has no finished replay of this id")
        for replay in replays:
            policy = loads(replay.policy_text, replay.policy_name)
            run = RuleRun(loaded.rules, compile_site(policy.site), policy.sha256, __version__)
            for service in run.services:
                for rows in decoded_rows(store, replay.id, service.table, run.columns(service)):
                    run.feed(service, rows)
            found_here = sorted(run.finish(replay.capture_sha256), key=canonical_order)
            findings = Suppressions(policy.site).tagged(found_here)
            console.print(Text(f"{replay.capture_name}: {len(findings):,} findings"))
            for finding in findings:
                console.print(Text(_line(finding)))
            found += findings
    if findings_file is not None:
        try:
            write_findings(found, findings_file)
        except OSError as problem:
            raise UsageProblem(f"--findings {findings_file}: {problem.strerror or problem}") from problem
    return found


def _line(finding: Finding) -> str:
    severity = _SEVERITIES[finding.severity]
    return f"  {severity:<8} {finding.kind} {finding.title}: {ends_of(finding)}, {finding.count:,} ×"


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)
