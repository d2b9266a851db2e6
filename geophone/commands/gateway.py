"""The command `geophone gateway import`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.commands.options import import_options, run_import


@click.group()
def gateway() -> None:
    """What a remote access gateway writes down."""


@gateway.command("import")
@import_options
def import_gateway(export: Path, mapping_file: Path, output: Path) -> None:
    """Import logins that a gateway logged, as CSV or JSON lines: evidence of second factors.

    Importing the same export again changes nothing. Rows that cannot be taken are listed in FILE.rejected with line
    and reason; exits with 1 when there are any.
    """
    run_import("gateway", export, mapping_file, output)
