"""The commands `geophone indicators …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.commands.options import history_options, indicators_option
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


@indicators.command("run")
@history_options
@indicators_option(required=True)
def indicators_run(
    store_url: str,
    replay_id: str,
    findings_file: Path | None,
    raised: bool,
    indicator_files: tuple[Path, ...],
) -> None:
    """Look for threat indicators in what a store holds already: what was here before anybody warned of it.

    A store keeps conversations as wholes: each counts once, not once a minute, in the hour that it began in. The store
    is read, not changed, unless --raise is given. Exits with 1 when there are findings.
    """
    with user_errors():
        from geophone.hunting import hunt

        found = hunt(
            store_url,
            None,
            indicators=indicator_files,
            replay_id=replay_id,
            findings_file=findings_file,
            raised=raised,
        )
    if found:
        sys.exit(1)
