"""Incidents: what belongs together, and one incident's time line across zones and domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from analyzers.severity import SEVERITY_NAMES
from analyzers.sla_kinds import SLA_KINDS
from api.context import ContextDependency
from api.parameters import AlertCursor, AlertId, FilterParameters
from api.problems import refuse_parameters
from api.routes.incidents import incident_or_problem
from api.sites import KnownSite, known_sites, zone_names, zones_to_choose
from dashboards.links import Link
from dashboards.pages.security import left_out_by_day
from dashboards.rendering import render
from dashboards.text import from_ns
from store.answers import Alert, AlertEvent, Incident, IncidentDetail
from store.queries import incidents

router = APIRouter()

_LIST: Final = "/security/incidents"
_ROWS: Final = 50
#: Of one kind and severity a day, as in the queue.
_ALIKE: Final = 6
_SERVICE_LEVELS: Final = frozenset(kind.id for kind in SLA_KINDS)


class IncidentParameters(FilterParameters):
    """The list: a filter, and where the page starts."""

    after: AlertCursor = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on or off."""

    name: str
    on: bool
    href: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the time line: an alert or a decision on one."""

    at: datetime
    alert: Alert | None
    decision: AlertEvent | None
    #: The id of the alert that it is about.
    about: str
    service_level: bool


@router.get(_LIST)
def incident_list(
    request: Request, context: ContextDependency, parameters: Annotated[IncidentParameters, Query()]
) -> Response:
    """The incidents that have an alert of the filter, the latest first, one page of them."""
    store, sites = context.store, known_sites(context.store)
    page = incidents.list_incidents(
        store, parameters.filter(), parameters.after, _ROWS, alike=0 if parameters.kind else _ALIKE
    )
    link = Link.of(_LIST, request.query_params.multi_items()).drop("after")
    return render(
        request,
        context,
        "security/incidents.html",
        section="security",
        zones=zones_to_choose(sites),
        zone_name=partial(zone_names, sites),
        parameters=parameters,
        days=_by_day(page.incidents),
        left_out=left_out_by_day(page.left_out, link),
        total=page.total,
        severities=[
            Chip(name, name in parameters.severity, str(link.toggle("severity", name)))
            for name in SEVERITY_NAMES
        ],
        link=link,
        next=str(link.put("after", page.next)) if page.next else "",
    )


@router.get(_LIST + "/{incident_id}", dependencies=[Depends(refuse_parameters)])
def incident(incident_id: AlertId, request: Request, context: ContextDependency) -> Response:
    """One incident; the id of any of its alerts leads to its own address."""
    detail = incident_or_problem(context.store, incident_id)
    if detail.incident.id != incident_id:
        return RedirectResponse(f"{_LIST}/{detail.incident.id}", 303)
    sites = known_sites(context.store)
    site = next((one for one in sites if one.site.id == detail.incident.site), None)
    link = Link("/security/alerts", (("incident", incident_id),))
    return render(
        request,
        context,
        "security/incident.html",
        section="security",
        incident=detail.incident,
        days=_steps_by_day(detail),
        left_out=left_out_by_day(detail.left_out, link).get(None, []),
        alerts_link=link,
        domains=_domains(site, detail.incident.zones),
        zone_name=partial(zone_names, sites),
        titles={alert.id: alert.title for alert in detail.alerts},
    )


def _by_day(rows: Sequence[Incident]) -> list[tuple[datetime, list[Incident]]]:
    """Rows under the UTC day of their last packet, in the order given."""
    days = groupby(rows, key=lambda row: from_ns(row.last_ns).date())
    return [(from_ns(group[0].last_ns), group) for group in (list(rows) for _, rows in days)]


def _steps_by_day(detail: IncidentDetail) -> list[tuple[datetime, list[Step]]]:
    """What the network showed and what people decided, in one order of time."""
    steps = [
        Step(from_ns(alert.first_ns), alert, None, alert.id, alert.kind in _SERVICE_LEVELS)
        for alert in detail.alerts
    ]
    steps += [Step(event.at, None, event, alert, False) for alert, event in detail.decisions]
    steps.sort(key=lambda step: (step.at, step.decision is not None))
    days = groupby(steps, key=lambda step: step.at.date())
    return [(group[0].at, group) for group in (list(rows) for _, rows in days)]


def _domains(site: KnownSite | None, zones: Sequence[str]) -> Mapping[str, list[str]]:
    """The zones' names by the domain they are of, as the site's policy declares both."""
    found: dict[str, list[str]] = {}
    for zone_id in zones:
        zone = site.zone(zone_id) if site else None
        domain = str(zone.domain) if zone is not None and zone.domain else ""
        found.setdefault(domain, []).append(site.zone_name(zone_id) if site else zone_id)
    return found
