"""`geophone replay`: captures and a policy in; summary, findings file and stored rows out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from analyzers.findings import Finding
from geophone.baselining import load_baseline
from geophone.errors import UsageProblem
from geophone.given import load_given
from geophone.report import print_result, summary_console
from geophone.runner import replay, write_findings
from policy.loader import load
from sensors.capture import open_capture, spooled
from sensors.engine import EngineLimits

#: Smaller captures are done before a progress bar could be read.
_PROGRESS_FROM_BYTES = 32 * 1024 * 1024


def replay_all(
    captures: Sequence[Path],
    policy_file: Path,
    *,
    baseline_file: Path | None = None,
    store_url: str | None,
    findings_file: Path | None,
    threads: int,
    limits: EngineLimits | None,
    approvals_file: Path | None = None,
    gateway_file: Path | None = None,
    rules: Path | None = None,
    indicators: Sequence[Path] = (),
) -> list[Finding]:
    """Replay every capture in turn and print its summary; the findings of all of them.

    They are compared with the baseline of the file, or else with the one that the store has of the site.
    """
    if store_url is not None and limits is not None:
        raise UsageProblem(
            "--limit goes without --store: a stored replay stands for its capture, policy and version alone"
        )
    policy = load(policy_file, approvals_file, gateway_file)
    given = load_given(rules, indicators)
    baseline = load_baseline(baseline_file, policy) if baseline_file is not None else None
    named = [open_capture(path) for path in captures]
    if sum(capture.is_stream for capture in named) > 1:
        raise UsageProblem("-: standard input can be replayed once")
    if findings_file is not None and not findings_file.parent.is_dir():
        raise UsageProblem(
            f"--findings {findings_file}: the folder {findings_file.parent} does not exist; make it first"
        )
    if findings_file is not None and findings_file.is_dir():
        raise UsageProblem(f"--findings {findings_file}: this is a folder; name a file")
    console = summary_console()
    findings: list[Finding] = []
    with ExitStack() as stack:
        opened = [stack.enter_context(spooled(capture)) for capture in named]
        store = None
        if store_url is not None:
            from store.baselines import stored_baseline
            from store.client import open_store

            store = stack.enter_context(open_store(store_url))
            baseline = baseline or stored_baseline(store, policy.site.id)
        progress = stack.enter_context(_progress(sum(capture.size_bytes for capture in opened)))
        for capture in opened:
            task = progress.add_task(capture.name, total=capture.size_bytes)
            result = replay(
                capture,
                policy,
                baseline=baseline,
                baseline_file=baseline_file,
                store=store,
                threads=threads,
                limits=limits,
                given=given,
                progress=lambda position, task=task: progress.update(task, completed=position.bytes_read),  # type: ignore[misc]
            )
            progress.remove_task(task)
            print_result(console, result)
            findings.extend(result.findings)
    if findings_file is not None:
        try:
            write_findings(findings, findings_file)
        except OSError as problem:
            raise UsageProblem(f"--findings {findings_file}: {problem.strerror or problem}") from problem
        console.print(Text(f"Findings written to {findings_file}"), soft_wrap=True)
    return findings


def _progress(total_bytes: int) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or total_bytes < _PROGRESS_FROM_BYTES,
    )
