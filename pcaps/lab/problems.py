"""What keeps a lab from being built or played: the message says why and what to do."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot be built or played here. Its text is one line, made for the user."""
