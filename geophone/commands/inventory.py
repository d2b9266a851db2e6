"""The command `geophone inventory`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.argument("capture", type=PATH)
@click.option(
    "--policy", "policy_file", type=PATH, help="The site's policy: says in which zone each device is."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON, with who told it.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def inventory(
    capture: Path, policy_file: Path | None, as_json: bool, as_csv: bool, limits: tuple[str, ...]
) -> None:
    """List the devices of a capture: addresses, names, makers, models, roles, services."""
    with user_errors():
        from geophone.inventory import print_inventory
        from geophone.listing import form_of

        print_inventory(
            capture,
            policy_file=policy_file,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
        )
