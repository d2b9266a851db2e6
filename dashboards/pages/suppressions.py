"""Suppressions: what somebody answers for, until when, and what it keeps out of the queue."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.context import ContextDependency
from api.problems import refuse_parameters
from api.sites import known_sites
from api.suppressions import every_suppression
from dashboards.rendering import render

router = APIRouter()


@router.get("/security/suppressions", dependencies=[Depends(refuse_parameters)])
def suppressions_page(request: Request, context: ContextDependency) -> Response:
    """Every suppression of every site, as its policy in force has it."""
    shown = every_suppression(context.store, known_sites(context.store))
    return render(request, context, "security/suppressions.html", section="security", suppressions=shown)
