"""The commands `geophone approvals import` and `geophone gateway import`: what they take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from geophone.guarded import PATH, user_errors

Command = TypeVar("Command", bound=Callable[..., Any])

_EXPORT = click.argument("export", type=PATH, metavar="FILE")
_MAPPING = click.option(
    "--mapping",
    "mapping_file",
    type=PATH,
    required=True,
    metavar="FILE",
    help="How the export is written, YAML.",
)
_OUTPUT = click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    metavar="FILE",
    help="The file for --approvals or --gateway-log; keeps what it has.",
)


def evidence_options(command: Command) -> Command:
    """The options of commands that judge visits: which imported files they are held against."""
    approvals = click.option(
        "--approvals",
        "approvals_file",
        type=PATH,
        help="Imported approvals; the policy's `evidence` if left out.",
    )
    gateway_log = click.option(
        "--gateway-log",
        "gateway_file",
        type=PATH,
        help="Imported logins of the gateway; the policy's `evidence` if left out.",
    )
    return approvals(gateway_log(command))


@click.group()
def approvals() -> None:
    """Approvals of remote access."""


@click.group()
def gateway() -> None:
    """What a remote access gateway writes down."""


@approvals.command("import")
@_EXPORT
@_MAPPING
@_OUTPUT
def import_approvals(export: Path, mapping_file: Path, output: Path) -> None:
    """Import approvals that another system exported, as CSV or JSON lines.

    Importing the same export again changes nothing. Rows that cannot be taken are listed in FILE.rejected with line
    and reason; exits with 1 when there are any.
    """
    _import("approvals", export, mapping_file, output)


@gateway.command("import")
@_EXPORT
@_MAPPING
@_OUTPUT
def import_gateway(export: Path, mapping_file: Path, output: Path) -> None:
    """Import logins that a gateway logged, as CSV or JSON lines: evidence of second factors.

    Importing the same export again changes nothing. Rows that cannot be taken are listed in FILE.rejected with line
    and reason; exits with 1 when there are any.
    """
    _import("gateway", export, mapping_file, output)


def _import(kind: str, export: Path, mapping_file: Path, output: Path) -> None:
    with user_errors():
        from geophone.importing.run import import_file, rejected_file

        done = import_file(kind, export, mapping_file, output)
    click.echo(
        f"{output}: {done.taken:,} rows taken, {done.new:,} of them new, {done.passed_over:,} passed over, "
        f"{done.rejected:,} rejected; {done.total:,} lines now"
    )
    if done.rejected:
        for reason in done.first_rejected:
            click.echo(f"{export}:{reason}", err=True)
        click.echo(f"{rejected_file(output)} lists all {done.rejected:,} rejected rows", err=True)
        sys.exit(1)
