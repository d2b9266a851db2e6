"""Fixtures: the application over a real embedded store."""

from __future__ import annotations

from tests.support.web import client, day_folder, deciding_client, empty_client

__all__ = ["client", "day_folder", "deciding_client", "empty_client"]
