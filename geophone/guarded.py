"""What every command shares: errors that a user can cause become one message and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

PATH: Final = click.Path(path_type=Path)

#: Modules whose exceptions a user can cause; by name, so that a small command does not import what it does not use.
_USER_ERRORS: Final = frozenset(
    {
        "geophone.errors",
        "pcaps.lab.problems",
        "policy.problems",
        "sensors.capture",
        "sensors.crosscheck.wireshark",
        "sensors.interface",
        "sensors.privileges",
        "store.errors",
    }
)


@contextmanager
def user_errors() -> Iterator[None]:
    """Errors that a user can cause become one message and exit code 2; all others keep their traceback."""
    try:
        yield
    except Exception as problem:
        if type(problem).__module__ not in _USER_ERRORS:
            raise
        click.echo(str(problem), err=True)
        sys.exit(2)
