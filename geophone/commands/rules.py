"""The commands `geophone rules …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

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
@click.option(
    "--store",
    "store_url",
    required=True,
    metavar="DIR|URL",
    help="Where the results are kept: a folder (embedded ClickHouse) or the http(s) URL of a server.",
)
@click.option("--rules", "rules_path", required=True, type=PATH, metavar="DIR", help="The folder of rules.")
@click.option(
    "--replay",
    "replay_id",
    default="",
    metavar="ID",
    help="Only this replay; else the latest of each capture.",
)
@click.option(
    "--findings", "findings_file", type=PATH, help="Write the findings here, as canonical JSON lines."
)
def rules_run(store_url: str, rules_path: Path, replay_id: str, findings_file: Path | None) -> None:
    """Run rules over what a store holds already: the same findings as if they had been there from the start.

    The store is read, not changed. Exits with 1 when there are findings.
    """
    with user_errors():
        from geophone.hunting import hunt

        found = hunt(store_url, rules_path, replay_id=replay_id, findings_file=findings_file)
    if found:
        sys.exit(1)
