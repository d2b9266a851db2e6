"""`python -m geophone` is `geophone`."""

from geophone.cli import run

run()
