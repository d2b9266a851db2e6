"""`python -m geophone` is `geophone`."""

from geophone.cli import main

main(prog_name="geophone")
