"""The commands `geophone attack …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.group()
def attack() -> None:
    """MITRE ATT&CK for ICS."""


@attack.command("layer")
@click.argument("captures", nargs=-1, type=PATH, metavar="[CAPTURE...]")
@click.option("--policy", "policy_file", type=PATH, help="The site's policy; with captures.")
@click.option("--store", "store_url", metavar="DIR|URL", help="The findings of a store, instead of captures.")
@click.option("--site", metavar="ID", default="", help="Only this site of the store.")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="Write the layer here.")
def layer(
    captures: tuple[Path, ...], policy_file: Path | None, store_url: str | None, site: str, output: Path
) -> None:
    """Write a layer file for the ATT&CK Navigator.

    Of captures and a policy, or of a store: the techniques that the findings name, scored by the worst severity. Of
    neither: what this version can tell, and for every other technique why not.
    """
    with user_errors():
        from geophone.attacking import write_layer

        write_layer(captures, policy_file, store_url, site, output)
