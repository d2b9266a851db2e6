"""Errors that a user can cause: the message names the thing and the way out; the command ends with exit code 2."""

from __future__ import annotations


class UsageProblem(Exception):
    """Something the user can repair; its text is printed as it is, without a traceback."""
