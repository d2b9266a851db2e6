"""The command `geophone serve`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import click

from geophone.commands.options import serving_options
from geophone.guarded import user_errors


@click.command()
@click.option(
    "--store",
    "store_url",
    required=True,
    metavar="DIR|URL",
    help="A store: a folder (embedded ClickHouse) or the http(s) URL of a server.",
)
@serving_options
def serve(store_url: str, port: int, operator: str) -> None:
    """Serve the API and the pages of a store on 127.0.0.1."""
    with user_errors():
        from geophone.serving import serve_store

        serve_store(store_url, port, operator)
