"""The six indicators of the operating model over a time range: a number, what it was before, its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from analyzers.periods import Period
from analyzers.sla_report_form import Indicator
from api.context import Context, ContextDependency
from api.indicators import store_indicators
from api.parameters import CaptureWindowParameters
from api.routes.zones import window_of
from api.sites import KnownSite, known_site
from api.sla_of_store import report_of_store
from dashboards.links import NetworkLinks
from dashboards.ranges import range_values, site_choices
from dashboards.rendering import render
from dashboards.sla_document import number

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownIndicator:
    """One indicator, its figures in words."""

    indicator: Indicator
    value: str
    limit: str
    before: str  #: the same over as long a time before; empty where that makes no sense


@router.get("/network/indicators")
def indicators_page(
    request: Request, context: ContextDependency, parameters: Annotated[CaptureWindowParameters, Query()]
) -> Response:
    """All six: three of the range's measurements, three of the site's alerts."""
    store, site = context.store, known_site(context.store, parameters.replay, parameters.site)
    if site is None:
        return render(request, context, "network/nothing.html", section="network")
    window = window_of(store, parameters, site)
    now = _measured(context, site, Period(window.start, window.end))
    earlier = _measured(context, site, Period(window.start - window.span, window.start))
    shown = [_shown(one, before) for one, before in zip(now, earlier, strict=True)]
    return render(
        request,
        context,
        "network/indicators.html",
        section="network",
        site=site,
        indicators=[*shown, *(_shown(one) for one in store_indicators(store, site.site.id))],
        links=NetworkLinks(parameters.replay, parameters.site),
        **range_values(request, store, window, parameters.replay, site.site.id),
        sites=site_choices(store, "/network/indicators", site.site.id),
    )


def _measured(context: Context, site: KnownSite, period: Period) -> tuple[Indicator, ...]:
    conduits = [conduit.id for conduit in site.site.conduits]
    report = report_of_store(
        context.store, site, period, context.settings.version, zones=(), conduits=conduits
    )
    return report.indicators[:3]


def _shown(one: Indicator, before: Indicator | None = None) -> ShownIndicator:
    earlier = "" if before is None else _figure(before.value, before.unit) or "not measured"
    return ShownIndicator(one, _figure(one.value, one.unit), _figure(one.limit, one.unit), earlier)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}".rstrip()
