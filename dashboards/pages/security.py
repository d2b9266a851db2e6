"""Security: the alert queue, and one alert with its evidence, its life and what may be decided."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, ValidationError
from starlette.responses import RedirectResponse, Response

from analyzers.severity import SEVERITY_NAMES, Severity
from api.context import Context, ContextDependency
from api.models import Decision, severity_name
from api.parameters import STATE_NAMES, AlertCursor, AlertId, FilterParameters
from api.problems import Problem, refuse_parameters
from api.routes.alerts import decide, detail_or_problem
from api.sites import known_sites, site_of_policy, zone_names, zones_to_choose
from dashboards.forms import form_with
from dashboards.links import Link, NetworkLinks
from dashboards.rendering import is_fragment, render
from dashboards.text import from_ns
from store.answers import Alert, AlertDetail, Alike, Incident
from store.client import Store
from store.queries import alerts, incidents, replays
from store.queries.life import TRANSITIONS

router = APIRouter()

_QUEUE: Final = "/security/alerts"
_ROWS: Final = 50
_SIMILAR: Final = 5
#: Of one kind and severity a day: a flood of one kind must not push all others off the page.
_ALIKE: Final = 6
_DecisionForm = Annotated[Mapping[str, str], Depends(form_with("decision", "note", "assignee"))]


class QueueParameters(FilterParameters):
    """The queue: a filter, where the page starts, and the alert that is open beside it."""

    after: AlertCursor = Field(default="", max_length=200)
    open: str = Field(default="", pattern="^([0-9a-f]{32})?$")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on or off, with its count."""

    name: str
    count: int
    on: bool
    href: str


@dataclass(frozen=True, slots=True)
class Step:
    """One point of an alert's time line."""

    name: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """The line of the policy that an alert is about."""

    number: int
    text: str


@router.get(_QUEUE)
def queue(
    request: Request, context: ContextDependency, parameters: Annotated[QueueParameters, Query()]
) -> Response:
    """The queue, newest first, one page of it; with `open` an alert beside it."""
    store, wanted = context.store, parameters.filter()
    sites = known_sites(store)
    # of a kind that was asked for all is shown
    alike = 0 if parameters.kind else _ALIKE
    page = alerts.list_alerts(store, wanted, parameters.after, _ROWS, alike=alike)
    counts = alerts.count_alerts(store, wanted)
    link = Link.of(_QUEUE, request.query_params.multi_items()).drop("open", "after")
    values: dict[str, Any] = {
        "section": "security",
        "zones": zones_to_choose(sites),
        "zone_name": partial(zone_names, sites),
        "parameters": parameters,
        "days": by_day(page.alerts),
        "left_out": left_out_by_day(page.left_out, link),
        "counts": counts,
        "severities": [
            Chip(
                name,
                counts.by_severity.get(Severity[name.upper()], 0),
                name in parameters.severity,
                str(link.toggle("severity", name)),
            )
            for name in SEVERITY_NAMES
        ],
        "states": [
            Chip(
                name, counts.by_state.get(name, 0), name in parameters.state, str(link.toggle("state", name))
            )
            for name in STATE_NAMES
        ],
        "link": link,
        "next": str(link.put("after", page.next)) if page.next else "",
        "newer_url": str(link.to("/api/v1/alerts/newer").put("since", page.newest)),
        "opened": None,
    }
    if is_fragment(request):
        return render(request, context, "security/_queue.html", **values)
    if parameters.open:
        values["opened"] = alert_values(store, detail_or_problem(store, parameters.open))
    return render(request, context, "security/queue.html", **values)


@router.get(_QUEUE + "/{alert_id}", dependencies=[Depends(refuse_parameters)])
def alert(alert_id: AlertId, request: Request, context: ContextDependency) -> Response:
    """One alert: a page of its own, or the part of one that our script shows beside the queue."""
    return _alert_page(request, context, detail_or_problem(context.store, alert_id))


@router.post(_QUEUE + "/{alert_id}/decision", dependencies=[Depends(refuse_parameters)])
def decide_on_alert(
    alert_id: AlertId, request: Request, context: ContextDependency, form: _DecisionForm
) -> Response:
    """Decide, then show the alert again; what cannot be done is said beside the form, never done silently."""
    detail = detail_or_problem(context.store, alert_id)
    try:
        decision = Decision.model_validate(dict(form))
        detail = decide(context.store, alert_id, decision, context.settings.operator)
    except ValidationError as error:
        first = error.errors()[0]
        return _alert_page(
            request, context, detail, f"{first['loc'][0]}: {first['msg']}", form.get("note", ""), 422
        )
    except Problem as problem:
        return _alert_page(request, context, detail, problem.detail, form.get("note", ""), problem.status)
    if is_fragment(request):
        return _alert_page(request, context, detail, done=decision.decision)
    return RedirectResponse(f"{_QUEUE}/{alert_id}", 303)


def _alert_page(
    request: Request,
    context: Context,
    detail: AlertDetail,
    refusal: str = "",
    note: str = "",
    status: int = 200,
    done: str = "",
) -> Response:
    template = "security/_alert.html" if is_fragment(request) else "security/alert.html"
    values = alert_values(context.store, detail) | {"refusal": refusal, "note": note, "done": done}
    return render(request, context, template, status, section="security", opened=values)


def alert_values(store: Store, detail: AlertDetail) -> dict[str, Any]:
    """What the alert's template shows."""
    finding = detail.finding
    replay = replays.get_replay(store, detail.replay)
    name = replay.policy_name if replay else ""
    site = site_of_policy(store, name, finding.policy_sha256)
    return {
        "alert": detail.alert,
        "finding": finding,
        "events": detail.events,
        "steps": time_line(detail),
        "capture_name": detail.capture_name,
        "replay": replay,
        "policy_name": name,
        "policy_line": _policy_line(store, detail),
        "incident": incident_beside(store, detail.alert.id),
        "similar": alerts.similar(store, detail.alert.id, _SIMILAR),
        "site": site,
        # of the capture that it was found in: other sites may have zones and conduits of the same ids
        "links": NetworkLinks(replay=detail.replay if replay else "", site=finding.site),
        "severity": severity_name(finding.severity),
        "decisions": decisions_in(detail.alert.state),
        "refusal": "",
        "note": "",
        "done": "",
    }


def incident_beside(store: Store, alert_id: str) -> Incident | None:
    """The incident that an alert belongs to, where it is not alone in it."""
    incident = incidents.incident_summary(store, alert_id)
    return incident if incident is not None and incident.alerts + incident.suppressed > 1 else None


def decisions_in(state: str) -> list[str]:
    """What may be decided in a state, in the order of an alert's life."""
    return [action for action, (sources, _) in TRANSITIONS.items() if state in sources]


def time_line(detail: AlertDetail) -> list[Step]:
    """From the first packet to the last decision."""
    finding = detail.finding
    steps = [Step("first packet", from_ns(finding.first_ns), "")]
    if finding.last_ns != finding.first_ns:
        steps.append(Step("last packet", from_ns(finding.last_ns), ""))
    steps.append(Step("detected", detail.alert.detected_at, f"Geophone {finding.version}"))
    steps += [
        Step(event.to_state, event.at, event.actor)
        for event in detail.events
        if event.to_state != event.from_state
    ]
    return steps


def by_day(rows: Sequence[Alert]) -> list[tuple[datetime, list[Alert]]]:
    """Rows under the UTC day of their first packet, in the order given."""
    days = groupby(rows, key=lambda row: from_ns(row.first_ns).date())
    return [(from_ns(group[0].first_ns), group) for group in (list(rows) for _, rows in days)]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many more there are of a kind and severity, and where they all are."""

    kind: str
    severity: str
    more: int
    href: str


def left_out_by_day(left_out: Sequence[Alike], link: Link) -> dict[date | None, list[LeftOut]]:
    """What a list folded, under its UTC day."""
    days: dict[date | None, list[LeftOut]] = {}
    for alike in left_out:
        severity = severity_name(alike.severity)
        href = str(link.put("kind", alike.kind).put("severity", severity))
        days.setdefault(alike.day, []).append(LeftOut(alike.kind, severity, alike.more, href))
    return days


def _policy_line(store: Store, detail: AlertDetail) -> PolicyLine | None:
    """Where the policy declares the conduit, else the zone that was reached."""
    policy = replays.policy_text(store, detail.finding.policy_sha256)
    wanted = detail.finding.conduit or detail.finding.dst_zone
    if policy is None or not wanted:
        return None
    declares = re.compile(rf"\bid:\s*[\"']?{re.escape(wanted)}[\"']?\s*(?:[,}}#]|$)")
    lines = enumerate(policy.splitlines(), 1)
    return next((PolicyLine(number, line.strip()) for number, line in lines if declares.search(line)), None)
