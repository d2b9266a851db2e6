"""Rules and indicators checked, and run over what a store holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console
from rich.text import Text

from analyzers.findings import Finding, Severity, canonical_order
from analyzers.suppressing import Suppressions
from geophone import __version__
from geophone.errors import UsageProblem
from geophone.given import load_given, read_indicators, read_rules
from geophone.raising import raise_found
from geophone.report import ends_of
from geophone.runner import write_findings
from policy.loader import loads
from policy.traffic import table_schema
from policy.zoning import CompiledSite, compile_site
from sensors.records import DNS, FLOWS, HTTP, OBSERVATIONS, SERVICES

if TYPE_CHECKING:
    from analyzers.given import Given
    from store.client import Store
    from store.queries.history import JudgedReplay


def check_rules(folder: Path) -> int:
    """Print what is wrong with each rule of a folder; the number of problems."""
    loaded = read_rules(folder)
    console = _console()
    for rule in loaded.rules.rules:
        severity = Severity(rule.base_severity).word
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


def hunt(
    store_url: str,
    rules_path: Path | None,
    *,
    indicators: Sequence[Path] = (),
    replay_id: str,
    findings_file: Path | None,
    raised: bool = False,
) -> list[Finding]:
    """Run rules or indicators over the rows of a store; print and give what they find, in canonical order.

    `raised`: keep what is found in the store, and put its alerts in the queue.
    """
    from store.client import open_store
    from store.queries.history import judged_replays

    given = load_given(rules_path, indicators)
    if given is None:
        raise UsageProblem("say what to look for: --rules DIR or --indicators FILE")
    console = _console()
    found: list[Finding] = []
    with open_store(store_url) as store:
        replays = judged_replays(store, replay_id)
        if replay_id and not replays:
            raise UsageProblem(f"--replay {replay_id}: the store has no finished replay of this id")
        for replay in replays:
            policy = loads(replay.policy_text, replay.policy_name)
            site = compile_site(policy.site)
            seen = [
                *_by_rules(store, replay, given, site, policy.sha256),
                *_by_indicators(store, replay, given, site, policy.sha256),
            ]
            findings = Suppressions(policy.site).tagged(sorted(seen, key=canonical_order))
            console.print(Text(f"{replay.capture_name}: {len(findings):,} findings"))
            for finding in findings:
                console.print(Text(_line(finding)))
            if raised and findings:
                fresh = raise_found(store, replay, policy, given, findings)
                console.print("  raised." if fresh else "  raised before: nothing is new.")
            found += findings
    if findings_file is not None:
        try:
            write_findings(found, findings_file)
        except OSError as problem:
            raise UsageProblem(f"--findings {findings_file}: {problem.strerror or problem}") from problem
    return found


def _by_rules(
    store: Store, replay: JudgedReplay, given: Given, site: CompiledSite, policy_sha256: str
) -> list[Finding]:
    from analyzers.rules.running import RuleRun
    from store.queries.history import decoded_rows

    run = RuleRun(given.rules, site, policy_sha256, __version__)
    for service in run.services:
        for rows in decoded_rows(store, replay.id, service.table, run.columns(service)):
            run.feed(service, rows)
    return run.finish(replay.capture_sha256)


def _by_indicators(
    store: Store, replay: JudgedReplay, given: Given, site: CompiledSite, policy_sha256: str
) -> list[Finding]:
    if not given.indicators.indicators:
        return []
    from analyzers.history import History
    from analyzers.indicators.matching import IndicatorRun
    from store.queries.history import decoded_rows

    run = IndicatorRun(given.indicators, site, policy_sha256, __version__)
    flows = list(decoded_rows(store, replay.id, FLOWS))
    history = History(site, pl.concat(flows) if flows else pl.DataFrame(schema=table_schema(FLOWS)))
    run.feed(history.conversations())
    for table in (DNS, SERVICES, HTTP, OBSERVATIONS):
        for rows in decoded_rows(store, replay.id, table):
            run.feed(history.traffic(table, rows))
    return run.finish(replay.capture_sha256)


def _line(finding: Finding) -> str:
    severity = finding.severity.word
    return f"  {severity:<8} {finding.kind} {finding.title}: {ends_of(finding)}, {finding.count:,} ×"


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)
