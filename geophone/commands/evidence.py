"""The commands `geophone evidence …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.group()
def evidence() -> None:
    """The packets behind a finding."""


@evidence.command("cut")
@click.argument("finding")
@click.option(
    "--capture",
    "capture",
    required=True,
    type=PATH,
    help="The capture that was judged, or the folder that `geophone sensor --write` records to.",
)
@click.option("--findings", "findings_file", type=PATH, help="Where the finding is: a file of findings.")
@click.option("--store", "store_url", metavar="DIR|URL", help="Where the finding is: a store.")
@click.option(
    "-o", "--output", required=True, type=PATH, metavar="FILE", help="The slice, a new pcapng file."
)
@click.option(
    "--around",
    "around_s",
    type=click.IntRange(0, 86_400),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="Taken along before and after the finding.",
)
def cut(
    finding: str,
    capture: Path,
    findings_file: Path | None,
    store_url: str | None,
    output: Path,
    around_s: int,
) -> None:
    """Cut the frames of FINDING out of a capture into a pcapng file, with comments.

    FINDING is a finding's id, or its first 8 digits or more. The slice is raw traffic: whatever passwords, recipes or
    names the network carried are in it. Nothing is taken out; hand it on as you would hand on the capture.

    The same finding and capture give the same bytes. Exits with 0 when the evidence is whole, with 1 when a part of
    it is missing (the line says which), with 2 when none is there; then no file is written.
    """
    with user_errors():
        from geophone.evidence_cutting import cut_slice

        whole = cut_slice(finding, capture, findings_file, store_url, output, around_s)
    if not whole:
        sys.exit(1)
