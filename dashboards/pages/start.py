"""The start: three readers, one look each."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from analyzers.findings import Severity
from api.context import ContextDependency
from api.figures import all_zones
from api.parameters import CaptureWindowParameters
from api.problems import refuse_parameters
from api.routes.zones import window_of
from api.sites import known_sites, zone_names
from dashboards.rendering import render
from store.answers import Alert, AlertFilter
from store.client import Store
from store.queries import alerts, replays

router = APIRouter(dependencies=[Depends(refuse_parameters)])

#: As many of the alerts to decide first as are shown.
_URGENT: Final = 6


@router.get("/")
def start(request: Request, context: ContextDependency) -> Response:
    """What is open, how the zones do, what was replayed last."""
    store = context.store
    sites = known_sites(store)
    site = next(iter(sites), None)
    zones = all_zones(store, site, window_of(store, CaptureWindowParameters(), site)) if site else []
    newest = replays.list_replays(store, "", 1).replays
    return render(
        request,
        context,
        "start.html",
        section="",
        site=site,
        zone_name=partial(zone_names, sites),
        counts=alerts.count_alerts(store, AlertFilter(states=("new",))),
        urgent=_urgent(store),
        statuses=Counter(zone.verdict.status for zone in zones),
        replay=newest[0] if newest else None,
    )


def _urgent(store: Store) -> list[Alert]:
    """What to decide first: new critical alerts, then new high ones, of each the newest first."""
    found: list[Alert] = []
    for severity in (Severity.CRITICAL, Severity.HIGH):
        if len(found) < _URGENT:
            wanted = AlertFilter(severities=(severity,), states=("new",))
            found += alerts.list_alerts(store, wanted, "", _URGENT - len(found)).alerts
    return found
