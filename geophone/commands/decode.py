"""The command `geophone decode`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.argument("capture", required=False, type=PATH)
@click.option("--table", "table_name", help="The table to write.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("jsonl", "csv", "parquet", "arrow")),
    default="jsonl",
    show_default=True,
    help="Output format.",
)
@click.option("-o", "--output", type=PATH, help="Output file; standard output when left out.")
@click.option("--follow", is_flag=True, help="Wait for more at the capture's end, until Ctrl-C.")
@click.option("--list", "list_only", is_flag=True, help="Name the tables and their columns.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def decode(
    capture: Path | None,
    table_name: str | None,
    file_format: str,
    output: Path | None,
    follow: bool,
    list_only: bool,
    limits: tuple[str, ...],
) -> None:
    """Write the decoded rows of one table, without policy or store.

    CAPTURE is a file, a folder of them, or - for standard input.
    """
    if list_only:
        from geophone.decoding import print_tables

        print_tables()
        return
    if capture is None or table_name is None:
        raise click.UsageError("name a CAPTURE and a --table; `geophone decode --list` names the tables")
    with user_errors():
        from geophone.decoding import decode_to

        sys.exit(decode_to(capture, table_name, file_format, output, engine_limits(limits), follow=follow))
