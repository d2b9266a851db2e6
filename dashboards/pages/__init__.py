"""The pages, one reader a file."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from dashboards.pages import audit, indicators, network, security, start, theme

PAGES: Final[tuple[APIRouter, ...]] = (
    start.router,
    security.router,
    network.router,
    indicators.router,
    audit.router,
    theme.router,
)
