"""The command `geophone policy learn`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command("learn")
@click.argument("captures", nargs=-1, required=True, type=PATH, metavar="CAPTURE...")
@click.option("--site", "site_id", default="site-1", show_default=True, metavar="ID", help="The site's id.")
@click.option("--name", default="", help="The site's name for people; its id if left out.")
@click.option("--tz", default="UTC", show_default=True, help="The site's time zone, of the IANA database.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def learn(
    captures: tuple[Path, ...], site_id: str, name: str, tz: str, output: Path | None, limits: tuple[str, ...]
) -> None:
    """Draft a policy from captures: zones, conduits and rules that allow what was seen, for you to review.

    Each rule says how often and when it was seen. Levels, names and owners are yours to set.
    """
    with user_errors():
        from geophone.policy_learning import learn_policy

        learn_policy(captures, site_id=site_id, name=name, tz=tz, output=output, limits=engine_limits(limits))
