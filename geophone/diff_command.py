"""The command `geophone policy diff`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.command("diff")
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option(
    "--capture",
    "captures",
    type=PATH,
    multiple=True,
    help="Also say which findings of this capture change. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def policy_diff(before: Path, after: Path, captures: tuple[Path, ...], as_json: bool) -> None:
    """Say what changed in meaning from one policy to another, and with captures which verdicts change.

    Order, comments and how a value is written are no change. Exits with 1 where something changed that a verdict can
    depend on.
    """
    with user_errors():
        from geophone.diffing import print_difference

        differs = print_difference(before, after, captures, as_json=as_json)
    if differs:
        sys.exit(1)
