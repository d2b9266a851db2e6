"""The API's routes, one noun a file."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.routes import (
    alerts,
    baselines,
    conduits,
    health,
    incidents,
    policies,
    replays,
    reports,
    suppressions,
    zones,
)

ROUTES: Final[tuple[APIRouter, ...]] = (
    zones.router,
    conduits.router,
    reports.router,
    alerts.router,
    incidents.router,
    suppressions.router,
    replays.router,
    policies.router,
    baselines.router,
    health.router,
)
