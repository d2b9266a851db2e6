"""The command `geophone limits`. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import click


@click.command()
def limits() -> None:
    """List the engine's limits: name, default, meaning."""
    from geophone.decoding import print_limits

    print_limits()
