"""The command `geophone approvals import`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.commands.options import import_options, run_import


@click.group()
def approvals() -> None:
    """Approvals of remote access."""


@approvals.command("import")
@import_options
def import_approvals(export: Path, mapping_file: Path, output: Path) -> None:
    """Import approvals that another system exported, as CSV or JSON lines.

    Importing the same export again changes nothing. Rows that cannot be taken are listed in FILE.rejected with line
    and reason; exits with 1 when there are any.
    """
    run_import("approvals", export, mapping_file, output)
