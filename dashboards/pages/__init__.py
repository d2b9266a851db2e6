"""The pages, one reader a file."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from dashboards.pages import audit, incidents, indicators, network, security, start, suppressions, theme

PAGES: Final[tuple[APIRouter, ...]] = (
    start.router,
    security.router,
    incidents.router,
    suppressions.router,
    network.router,
    indicators.router,
    audit.router,
    theme.router,
)
