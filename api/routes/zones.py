"""Zones: how each does against its target."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import figures, tables
from api.context import StoreDependency
from api.models import PointAnswer, ScopeAnswer, SeriesAnswer, WindowAnswer, ZonesAnswer
from api.parameters import CaptureWindowParameters, SeriesParameters
from api.problems import Problem, UnknownThing
from api.sites import KnownSite, known_site
from api.spans import data_span, usual_span
from api.window import Window, choose
from store.answers import SlaPoint
from store.client import Store
from store.queries import sla

router = APIRouter(tags=["zones"])


def site_or_problem(store: Store, replay: str = "", site: str = "") -> KnownSite:
    """The newest site, the one named, or that of one replay; 404 where nothing was replayed yet."""
    known = known_site(store, replay, site)
    if known is None:
        raise Problem(
            404,
            "the store holds no finished replay, so no site is known",
            "run: geophone replay FILE --policy FILE",
        )
    return known


def window_of(store: Store, parameters: CaptureWindowParameters, site: KnownSite) -> Window:
    """The window that the parameters ask for, in what is stored of the site."""
    step = parameters.step if isinstance(parameters, SeriesParameters) else None
    replay, site_id = parameters.replay, site.site.id
    usual = usual_span(store, replay, site_id)
    data = data_span(store, replay, site_id)
    return choose(data, parameters.range, parameters.from_, parameters.to, step, usual)


def _zone_points(
    store: Store, zone_id: str, parameters: SeriesParameters
) -> tuple[KnownSite, Window, list[SlaPoint]]:
    site = site_or_problem(store, parameters.replay, parameters.site)
    if site.zone(zone_id) is None:
        raise UnknownThing("zone", zone_id, "/api/v1/zones")
    window = window_of(store, parameters, site)
    points = sla.zone_series(
        store, zone_id, window.start, window.end, window.step_s, site=site.site.id, replay=parameters.replay
    )
    return site, window, figures.complete(points, window)


@router.get("/zones")
def list_zones(
    store: StoreDependency, parameters: Annotated[CaptureWindowParameters, Query()]
) -> ZonesAnswer:
    """Every declared zone with its status, worst first."""
    site = site_or_problem(store, parameters.replay, parameters.site)
    window = window_of(store, parameters, site)
    return ZonesAnswer(
        window=WindowAnswer.of(window),
        policy_name=site.policy_name,
        policy_sha256=site.policy_sha256,
        zones=[ScopeAnswer.of(zone) for zone in figures.all_zones(store, site, window, parameters.replay)],
    )


@router.get("/zones/{zone_id}/sla")
def zone_sla(
    zone_id: str, store: StoreDependency, parameters: Annotated[SeriesParameters, Query()]
) -> SeriesAnswer:
    """One zone's series: round-trip and transaction times, availability, loss, coverage."""
    site, window, points = _zone_points(store, zone_id, parameters)
    return SeriesAnswer(
        window=WindowAnswer.of(window),
        step_s=window.step_s,
        scope=ScopeAnswer.of(figures.zone_figures(store, site, zone_id, window, parameters.replay)),
        points=[PointAnswer.of(point) for point in points],
    )


@router.get(
    "/zones/{zone_id}/sla.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}}
)
def zone_sla_csv(
    zone_id: str, store: StoreDependency, parameters: Annotated[SeriesParameters, Query()]
) -> Response:
    """The same series as comma-separated values; empty cells are 'not measured'."""
    _, window, points = _zone_points(store, zone_id, parameters)
    return tables.csv_response(points, f"zone-{zone_id}", window)
