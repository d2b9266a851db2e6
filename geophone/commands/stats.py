"""The command `geophone stats`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, user_errors


@click.command()
@click.argument("capture", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def stats(capture: Path, as_json: bool) -> None:
    """Count packets, flows, messages, retransmissions and round-trip times of a capture."""
    with user_errors():
        from geophone.decoding import print_stats

        print_stats(capture, as_json)
