"""The command `geophone crosscheck`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.argument("capture", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="All figures and differences as JSON.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="NAME",
    help="Compare only this one: frame, tcp, udp, modbus, … May be repeated.",
)
@click.option(
    "--limit-differences",
    "differences_kept",
    type=click.IntRange(0, 100_000),
    default=20,
    show_default=True,
    help="Differences listed of each field; all are counted.",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def crosscheck(
    capture: Path, as_json: bool, protocols: tuple[str, ...], differences_kept: int, limits: tuple[str, ...]
) -> None:
    """Compare with Wireshark, field by field: how far it agrees, and each difference with its frame.

    Needs tshark. It dissects the capture in a process of its own, without names and without the network; still it
    is a large program for hostile bytes: run it where captures are studied, not on a sensor.

    Exits with 0 when every field agrees (99.9 % of its values are equal, or each difference has its reason), with 1
    when one does not or when there was nothing to compare, with 2 when the capture or tshark cannot be used.
    """
    with user_errors():
        from geophone.crosschecking import check_capture

        agrees = check_capture(
            capture,
            protocols,
            differences_kept=differences_kept,
            as_json=as_json,
            limits=engine_limits(limits),
        )
    if not agrees:
        sys.exit(1)
