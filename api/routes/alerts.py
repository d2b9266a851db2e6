"""Alerts: the queue, one alert with its evidence, decisions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.context import ContextDependency, StoreDependency
from api.models import (
    AlertAnswer,
    AlertDetailAnswer,
    AlertsAnswer,
    CountsAnswer,
    Decision,
    NewerAnswer,
    SimilarAnswer,
)
from api.parameters import AlertId, AlertParameters, LimitParameters, NewerParameters
from api.problems import Problem, UnknownThing, refuse_parameters
from store.answers import AlertDetail
from store.client import Store
from store.errors import InvalidTransition, UnknownAlert
from store.queries import alerts, life

router = APIRouter(tags=["alerts"])


def detail_or_problem(store: Store, alert_id: str) -> AlertDetail:
    """The alert; 404 where there is none of that id."""
    detail = alerts.get_alert(store, alert_id)
    if detail is None:
        raise UnknownThing("alert", alert_id, "/api/v1/alerts")
    return detail


def decide(store: Store, alert_id: str, decision: Decision, operator: str) -> AlertDetail:
    """Carry out a decision in the operator's name; 404 and 409 where it cannot be."""
    assignee = decision.assignee.strip() or operator if decision.decision == "assign" else ""
    try:
        return life.decide(store, alert_id, decision.decision, operator, decision.note.strip(), assignee)
    except UnknownAlert as error:
        raise UnknownThing("alert", alert_id, "/api/v1/alerts") from error
    except InvalidTransition as error:
        raise Problem(409, str(error), "load the alert again: someone may have decided meanwhile") from error


@router.get("/alerts")
def list_alerts(store: StoreDependency, parameters: Annotated[AlertParameters, Query()]) -> AlertsAnswer:
    """A page of the queue, newest first, with the counts of the same filter."""
    wanted = parameters.filter()
    page = alerts.list_alerts(store, wanted, parameters.after, parameters.limit)
    return AlertsAnswer(
        alerts=[AlertAnswer.of(alert) for alert in page.alerts],
        counts=CountsAnswer.of(alerts.count_alerts(store, wanted)),
        next=page.next,
        newest=page.newest,
    )


@router.get("/alerts/newer")
def count_newer(store: StoreDependency, parameters: Annotated[NewerParameters, Query()]) -> NewerAnswer:
    """How many alerts of the filter came after the one that the cursor stands for."""
    return NewerAnswer(newer=alerts.newest(store, parameters.filter(), parameters.since))


@router.get("/alerts/{alert_id}", dependencies=[Depends(refuse_parameters)])
def get_alert(alert_id: AlertId, store: StoreDependency) -> AlertDetailAnswer:
    """One alert with its finding, evidence and life."""
    return AlertDetailAnswer.of(detail_or_problem(store, alert_id))


@router.get("/alerts/{alert_id}/similar")
def similar_alerts(
    alert_id: AlertId, store: StoreDependency, parameters: Annotated[LimitParameters, Query()]
) -> SimilarAnswer:
    """Other alerts of the same kind between the same ends."""
    detail_or_problem(store, alert_id)
    return SimilarAnswer(
        alerts=[AlertAnswer.of(row) for row in alerts.similar(store, alert_id, parameters.limit)]
    )


@router.post("/alerts/{alert_id}/decision", dependencies=[Depends(refuse_parameters)])
def decide_on_alert(alert_id: AlertId, decision: Decision, context: ContextDependency) -> AlertDetailAnswer:
    """Acknowledge, assign, close or reopen. Every decision is kept, with its note; none is ever deleted."""
    return AlertDetailAnswer.of(decide(context.store, alert_id, decision, context.settings.operator))
