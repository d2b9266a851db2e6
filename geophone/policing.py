"""`geophone policy check`: a policy file in, its errors and remarks out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from policy.lints import Lint, lint
from policy.loader import load


def check(file: Path) -> Sequence[Lint]:
    """Print what the policy holds and what is unwise in it; PolicyError with every error when it is refused."""
    loaded = load(file)
    site = loaded.site
    console = Console(soft_wrap=True)
    rules = sum(len(conduit.allow) for conduit in site.conduits)
    console.print(
        f"{loaded.name}: {site.name or site.id}: {len(site.zones)} zones, {len(site.assets)} assets, "
        f"{len(site.conduits)} conduits, {rules} rules. sha256 {loaded.sha256[:16]}…",
        highlight=False,
        markup=False,
    )
    remarks = lint(site)
    for remark in remarks:
        console.print(Text(f"▲ {remark}", style="yellow"))
    console.print("No errors." if not remarks else f"No errors, {len(remarks)} remarks.", highlight=False)
    return remarks
