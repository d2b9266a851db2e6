"""`python -m geophone` is `geophone`."""

from geophone.starting import start

start()
