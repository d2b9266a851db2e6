"""The command line: its commands are in `geophone/commands/`, a file each, and import what they need when they run.

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage or unreadable input, 3 a fault of our own; as the
shell gives them, 130 interrupted (Ctrl-C) and 141 the reader of the output left (`| head`).
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Any, Final

import click

from geophone import __version__
from geophone.commands import COMMANDS

_INTERRUPTED: Final = 128 + signal.SIGINT
_READER_GONE: Final = 128 + signal.SIGPIPE


def run() -> None:
    """The entry point: a fault of our own keeps its traceback and never looks like findings."""
    try:
        main(prog_name="geophone")
    except Exception:
        traceback.print_exc()
        click.echo(
            "geophone: this is a fault of Geophone's own; SECURITY.md says where to report it", err=True
        )
        sys.exit(3)


class _Commands(click.Group):
    """Click's own exit code for an interrupt and for a reader that left is 1, which stands for findings here."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(_INTERRUPTED)
        except BrokenPipeError:
            # What is still buffered has no reader: the null device takes it, so that closing does not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(_READER_GONE)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GEOPHONE"}
)
@click.version_option(__version__, prog_name="geophone")
def main() -> None:
    """Geophone: a passive monitor for industrial networks.

    It reads captures, holds the traffic against the site's policy and measures latency and loss per zone.
    Every option can also be set in the environment, for example GEOPHONE_REPLAY_POLICY.
    """


for _command in COMMANDS:
    main.add_command(_command)
