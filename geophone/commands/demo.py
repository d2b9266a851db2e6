"""The command `geophone demo`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import click

from geophone.guarded import user_errors


@click.command()
@click.option(
    "--store",
    "store_url",
    default=None,
    metavar="DIR",
    help="Keep the demo's store here instead of a temporary folder.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8642, show_default=True, help="First port to try."
)
@click.option("--no-serve", is_flag=True, help="Replay and print, but serve no pages.")
def demo(store_url: str | None, port: int, no_serve: bool) -> None:
    """Replay the sample captures and serve the pages on 127.0.0.1."""
    with user_errors():
        from geophone.demo import run_demo

        run_demo(store_url, port, serve=not no_serve)
