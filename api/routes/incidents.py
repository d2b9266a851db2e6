"""Incidents: which there are, and one with its time line."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.context import StoreDependency
from api.incident_answers import IncidentDetailAnswer, IncidentsAnswer
from api.parameters import AlertId, AlertParameters
from api.problems import UnknownThing, refuse_parameters
from store.answers import IncidentDetail
from store.client import Store
from store.queries import incidents

router = APIRouter(tags=["incidents"])


def incident_or_problem(store: Store, incident_id: str) -> IncidentDetail:
    """The incident that has this id, or an alert of this id; 404 where there is none."""
    detail = incidents.get_incident(store, incident_id)
    if detail is None:
        raise UnknownThing("incident", incident_id, "/api/v1/incidents")
    return detail


@router.get("/incidents")
def list_incidents(
    store: StoreDependency, parameters: Annotated[AlertParameters, Query()]
) -> IncidentsAnswer:
    """A page of the incidents that have an alert of the filter, the latest first."""
    page = incidents.list_incidents(store, parameters.filter(), parameters.after, parameters.limit)
    return IncidentsAnswer.of(page)


@router.get("/incidents/{incident_id}", dependencies=[Depends(refuse_parameters)])
def get_incident(incident_id: AlertId, store: StoreDependency) -> IncidentDetailAnswer:
    """One incident with its time line: by its id, or by that of any of its alerts."""
    return IncidentDetailAnswer.of(incident_or_problem(store, incident_id))
