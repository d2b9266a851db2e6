"""Conduits: how each does against its target."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import figures, tables
from api.context import StoreDependency
from api.models import PointAnswer, ScopeAnswer, SeriesAnswer, WindowAnswer
from api.parameters import SeriesParameters
from api.problems import UnknownThing
from api.routes.zones import site_or_problem, window_of
from api.sites import KnownSite
from api.window import Window
from store.answers import SlaPoint
from store.client import Store
from store.queries import sla

router = APIRouter(tags=["conduits"])


def _conduit_points(
    store: Store, conduit_id: str, parameters: SeriesParameters
) -> tuple[KnownSite, Window, list[SlaPoint]]:
    site = site_or_problem(store, parameters.replay, parameters.site)
    if site.conduit(conduit_id) is None:
        raise UnknownThing("conduit", conduit_id, "the policy: /api/v1/policies/{sha256}.yaml")
    window = window_of(store, parameters, site)
    points = sla.conduit_series(
        store,
        conduit_id,
        window.start,
        window.end,
        window.step_s,
        site=site.site.id,
        replay=parameters.replay,
    )
    return site, window, figures.complete(points, window)


@router.get("/conduits/{conduit_id}/sla")
def conduit_sla(
    conduit_id: str, store: StoreDependency, parameters: Annotated[SeriesParameters, Query()]
) -> SeriesAnswer:
    """One conduit's series, in its own direction."""
    site, window, points = _conduit_points(store, conduit_id, parameters)
    return SeriesAnswer(
        window=WindowAnswer.of(window),
        step_s=window.step_s,
        scope=ScopeAnswer.of(figures.conduit_figures(store, site, conduit_id, window, parameters.replay)),
        points=[PointAnswer.of(point) for point in points],
    )


@router.get(
    "/conduits/{conduit_id}/sla.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}}
)
def conduit_sla_csv(
    conduit_id: str, store: StoreDependency, parameters: Annotated[SeriesParameters, Query()]
) -> Response:
    """The same series as comma-separated values; empty cells are 'not measured'."""
    _, window, points = _conduit_points(store, conduit_id, parameters)
    return tables.csv_response(points, f"conduit-{conduit_id}", window)
