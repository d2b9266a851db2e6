"""The command `geophone serve`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import click

from geophone.guarded import user_errors


@click.command()
@click.option(
    "--store",
    "store_url",
    required=True,
    metavar="DIR|URL",
    help="A store: a folder (embedded ClickHouse) or the http(s) URL of a server.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8642, show_default=True, help="First port to try."
)
@click.option(
    "--operator",
    default="local",
    show_default=True,
    help="The name that decisions on alerts are signed with.",
)
def serve(store_url: str, port: int, operator: str) -> None:
    """Serve the API and the pages of a store on 127.0.0.1."""
    with user_errors():
        from geophone.serving import serve_store

        serve_store(store_url, port, operator)
