"""The command `geophone registers`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.argument("capture", type=PATH)
@click.option("--server", metavar="IP", help="Only this server.")
@click.option("--unit", type=click.IntRange(0, 255), help="Only this unit.")
@click.option(
    "--table", type=click.Choice(("coils", "discrete", "input", "holding")), help="Only this table."
)
@click.option("--changed", is_flag=True, help="Only what changed while the capture ran.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def registers(
    capture: Path,
    server: str | None,
    unit: int | None,
    table: str | None,
    changed: bool,
    as_json: bool,
    as_csv: bool,
    limits: tuple[str, ...],
) -> None:
    """List the registers and coils of a capture's Modbus servers: last value, who wrote it, when."""
    with user_errors():
        from geophone.listing import form_of
        from geophone.registers import print_registers

        print_registers(
            capture,
            server=server,
            unit=unit,
            table=table,
            changed=changed,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
        )
