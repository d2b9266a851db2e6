"""Cursors of keyset pages: opaque to the reader, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import json


def encode(*parts: int | str) -> str:
    """Parts of a sort key in, an opaque word for a URL out."""
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type[int] | type[str]) -> tuple[int | str, ...]:
    """The parts again. ValueError where it is no cursor of these kinds: it came from a URL."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise ValueError("this page's cursor is damaged: start again at the first page")
    if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in parts):
        raise ValueError("this page's cursor is damaged: start again at the first page")
    return tuple(parts)
