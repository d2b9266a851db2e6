"""The command `geophone access`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.commands.options import evidence_options
from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.argument("capture", type=PATH)
@click.option(
    "--policy", "policy_file", type=PATH, required=True, help="The site's policy, with its remote access."
)
@evidence_options
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def access(
    capture: Path,
    policy_file: Path,
    approvals_file: Path | None,
    gateway_file: Path | None,
    as_json: bool,
    as_csv: bool,
    limits: tuple[str, ...],
) -> None:
    """List the sessions of remote access in a capture, like a visitors' book: who came, by what way, when."""
    with user_errors():
        from geophone.listing import form_of
        from geophone.visiting import print_visits

        print_visits(
            capture,
            policy_file,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
            approvals=approvals_file,
            gateway_log=gateway_file,
        )
