"""What every command shares: how errors of the user end it, and how limits are given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from geophone.errors import UsageProblem

if TYPE_CHECKING:
    from sensors.engine import EngineLimits

PATH: Final = click.Path(path_type=Path)

#: Modules whose exceptions a user can cause; by name, so that a small command does not import what it does not use.
_USER_ERRORS: Final = frozenset(
    {
        "analyzers.baseline.file",
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


def engine_limits(pairs: tuple[str, ...]) -> EngineLimits | None:
    """The engine's limits from NAME=NUMBER pairs; None without any. Raises UsageProblem."""
    if not pairs:
        return None
    from sensors.engine import EngineLimits

    given = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not value.isdecimal():
            raise UsageProblem(f"--limit {pair}: write NAME=NUMBER, for example --limit flow_limit=500000")
        given[name] = int(value)
    known = EngineLimits.meanings()
    for name, bound in given.items():
        if name not in known:
            raise UsageProblem(f"--limit {name}: there is no such limit; the limits are {', '.join(known)}")
        if not bound:
            raise UsageProblem(f"--limit {name}=0: a limit is at least 1")
    return EngineLimits(**given)
