"""The command `geophone sensor`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.option(
    "-i", "--interface", required=True, metavar="IF", help="The interface, of a SPAN port or a tap."
)
@click.option(
    "--fanout",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Rings that share the flows, each decoded by a core of its own.",
)
@click.option(
    "--ring-mib",
    type=click.IntRange(1, 4096),
    default=64,
    show_default=True,
    help="Memory of each ring: how long decoding may stand still.",
)
@click.option(
    "--snaplen",
    type=click.IntRange(64, 262_144),
    default=262_144,
    show_default=True,
    help="Bytes kept of a frame.",
)
@click.option(
    "--promiscuous/--no-promiscuous",
    default=True,
    show_default=True,
    help="Take frames for other addresses too.",
)
@click.option("--out", type=PATH, metavar="DIR", help="Write decoded rows here, a folder a table.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("jsonl", "csv", "parquet", "arrow")),
    default="parquet",
    show_default=True,
    help="Format of the rows in --out.",
)
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds of rows in a file of --out.",
)
@click.option("--write", type=PATH, metavar="DIR", help="Record the newest packets here, as pcapng files.")
@click.option(
    "--write-mib",
    type=click.IntRange(1, 65536),
    default=256,
    show_default=True,
    help="Largest size of a recorded file.",
)
@click.option(
    "--write-files",
    type=click.IntRange(2, 100_000),
    default=16,
    show_default=True,
    help="Recorded files kept; the oldest is removed.",
)
@click.option("--user", help="Whom root becomes once the interface is open (nobody).")
@click.option(
    "--duration", "duration_s", type=click.FloatRange(min=0.1), metavar="SECONDS", help="End after so long."
)
@click.option("--wait", is_flag=True, help="Wait for an interface that is down or away, instead of ending.")
@click.option(
    "--allow-address", is_flag=True, help="Listen although this machine has an address on the interface."
)
@click.option("--json", "as_json", is_flag=True, help="The closing summary as JSON.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def sensor(
    interface: str,
    fanout: int,
    ring_mib: int,
    snaplen: int,
    promiscuous: bool,
    out: Path | None,
    file_format: str,
    every_s: float,
    write: Path | None,
    write_mib: int,
    write_files: int,
    user: str | None,
    duration_s: float | None,
    wait: bool,
    allow_address: bool,
    as_json: bool,
    limits: tuple[str, ...],
) -> None:
    """Listen to a network interface: decode what it sees, record it, write its rows; send nothing.

    Ends with Ctrl-C or SIGTERM, with every row written; exits with 2 where the interface was lost.
    """
    with user_errors():
        from sensors import privileges

        # Before anything that starts threads is imported: a thread has what its maker had.
        privileges.renounce()
        from geophone.listening import SensorOptions, listen
        from sensors.live import Listening, Recording

        recording = Recording(folder=write, file_mib=write_mib, files=write_files) if write else None
        listening = Listening(
            interface=interface,
            rings=fanout,
            ring_mib=ring_mib,
            snaplen=snaplen,
            promiscuous=promiscuous,
            wait=wait,
            recording=recording,
        )
        options = SensorOptions(
            listening=listening,
            out=out,
            file_format=file_format,
            every_s=every_s,
            user=user,
            duration_s=duration_s,
            allow_address=allow_address,
            as_json=as_json,
            limits=engine_limits(limits),
        )
        sys.exit(listen(options))
