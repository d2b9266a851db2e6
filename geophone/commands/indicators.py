"""The commands `geophone indicators …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.group()
def indicators() -> None:
    """Threat indicators: addresses, names, fingerprints and certificates that others warn of."""


@indicators.command("check")
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
def indicators_check(files: tuple[Path, ...]) -> None:
    """Say what is taken of files of indicators (STIX 2.1 bundles or CSV), and what is not and why.

    Exits with 2 when something was not taken.
    """
    with user_errors():
        from geophone.hunting import check_indicators

        wrong = check_indicators(files)
    if wrong:
        sys.exit(2)
