"""The command `geophone incidents`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.command()
@click.argument("incident", required=False, default="")
@click.option("--store", "store_url", metavar="DIR|URL", help="The incidents of a store.")
@click.option("--findings", "findings_file", type=PATH, help="The incidents of a file of findings.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
def incidents(
    incident: str, store_url: str | None, findings_file: Path | None, as_json: bool, as_csv: bool
) -> None:
    """List incidents: findings that belong together; with INCIDENT, the time line of one.

    INCIDENT is the id of an incident or of any of its findings, or the first 8 digits or more. Of a store the
    latest 500 incidents are listed.
    """
    with user_errors():
        from geophone.incident_listing import print_incidents
        from geophone.listing import form_of

        print_incidents(incident, store_url, findings_file, form_of(as_json=as_json, as_csv=as_csv))
