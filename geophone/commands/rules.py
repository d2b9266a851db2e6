"""The commands `geophone rules …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.commands.options import history_options
from geophone.guarded import PATH, user_errors


@click.group()
def rules() -> None:
    """Rules of your own, in the format of Sigma."""


@rules.command("check")
@click.argument("folder", type=PATH, metavar="DIR")
def rules_check(folder: Path) -> None:
    """Check every rule of a folder: each problem with its file, line, key and repair.

    Exits with 2 when a rule cannot be run.
    """
    with user_errors():
        from geophone.hunting import check_rules

        wrong = check_rules(folder)
    if wrong:
        sys.exit(2)


@rules.command("run")
@history_options
@click.option("--rules", "rules_path", required=True, type=PATH, metavar="DIR", help="The folder of rules.")
def rules_run(
    store_url: str, replay_id: str, findings_file: Path | None, raised: bool, rules_path: Path
) -> None:
    """Run rules over what a store holds already: the same findings as if they had been there from the start.

    The store is read, not changed, unless --raise is given. Exits with 1 when there are findings.
    """
    with user_errors():
        from geophone.hunting import hunt

        found = hunt(store_url, rules_path, replay_id=replay_id, findings_file=findings_file, raised=raised)
    if found:
        sys.exit(1)
