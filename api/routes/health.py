"""Health: is the store there, what is in it, when was the last packet."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.context import ContextDependency
from api.models import HealthAnswer
from api.problems import refuse_parameters
from store.queries.health import health

router = APIRouter(tags=["health"])


@router.get("/health", dependencies=[Depends(refuse_parameters)])
def get_health(context: ContextDependency) -> HealthAnswer:
    """Answers when the store answers."""
    return HealthAnswer.of(health(context.store), context.settings.version)
