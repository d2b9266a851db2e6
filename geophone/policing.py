"""`geophone policy check` and `explain`: a policy file in; its errors and remarks, or one verdict, out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from geophone.errors import UsageProblem
from policy.loader import load
from policy.report import check_report


def check(file: Path) -> int:
    """Print what the policy holds and what is unwise in it, and give the number of remarks on what is unwise.

    Raises PolicyError, with every error of the file, when the policy is refused.
    """
    policy = load(file)
    report = check_report(policy, datetime.now(UTC).astimezone(ZoneInfo(policy.site.tz)).date())
    console = Console(soft_wrap=True, highlight=False)
    counts = ", ".join(f"{number} {what}" for what, number in report.counts.items())
    console.print(Text(f"{report.name}: site {report.site_id}: {counts}"))
    console.print(Text(f"sha256 {report.sha256}", style="dim"))
    for remark in report.remarks:
        console.print(Text(f"▲ {remark.located(report.name)}", style="yellow"))
    console.print(
        f"No errors, {len(report.remarks)} remarks." if report.remarks else "No errors, no remarks."
    )
    return len(report.remarks)


def explain_conversation(file: Path, client: str, server: str, service: str, port: int) -> bool:
    """Print which rule allows the conversation, or what denies it; whether it is allowed."""
    from policy.explain import explain
    from policy.zoning import compile_site

    site = compile_site(load(file).site)
    try:
        answer = explain(site, client, server, service, port)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from problem
    console = Console(soft_wrap=True, highlight=False)
    verdict = Text("● allowed", style="blue") if answer.allowed else Text("◆ not allowed", style="bold red")
    console.print(verdict, Text(f"({answer.check})" if answer.check else ""))
    console.print(Text(answer.text))
    for rule, limits in zip(answer.rules, answer.limits, strict=True):
        console.print(Text(f"by {rule}: {limits}" if limits else f"by {rule}: anything"))
    if answer.nearest_rule:
        console.print(Text(f"closest: {answer.nearest_rule}"))
    return answer.allowed
