"""Fixtures: the application over a real embedded store."""

from __future__ import annotations

from tests.support.web import client, day, day_folder, empty, empty_client

__all__ = ["client", "day", "day_folder", "empty", "empty_client"]
