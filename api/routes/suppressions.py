"""Suppressions: which findings somebody answers for, why, until when, and how many that holds back."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.context import StoreDependency
from api.models import SuppressionsAnswer
from api.problems import refuse_parameters
from api.sites import known_sites
from api.suppressions import every_suppression

router = APIRouter(tags=["alerts"])


@router.get("/suppressions", dependencies=[Depends(refuse_parameters)])
def list_suppressions(store: StoreDependency) -> SuppressionsAnswer:
    """Every suppression of the policies in force, expired ones too, and of older ones those that still hold back."""
    return SuppressionsAnswer.of(every_suppression(store, known_sites(store)))
