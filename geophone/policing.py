"""`geophone policy check`: a policy file in, its errors and remarks out."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from policy.loader import load
from policy.report import check_report


def check(file: Path) -> int:
    """Print what the policy holds and what is unwise in it, and give the number of remarks on what is unwise.

    Raises PolicyError, with every error of the file, when the policy is refused.
    """
    report = check_report(load(file))
    console = Console(soft_wrap=True, highlight=False)
    counts = ", ".join(f"{number} {what}" for what, number in report.counts.items())
    console.print(Text(f"{report.name}: site {report.site_id}: {counts}"))
    console.print(Text(f"sha256 {report.sha256}", style="dim"))
    for remark in report.remarks:
        console.print(Text(f"▲ {remark.located(report.name)}", style="yellow"))
    for remark in report.unjudged:
        console.print(Text(f"○ {remark.located(report.name)}", style="dim"))
    console.print(
        f"No errors, {len(report.remarks)} remarks." if report.remarks else "No errors, no remarks."
    )
    return len(report.remarks)
