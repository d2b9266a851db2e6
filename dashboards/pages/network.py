"""Network: whether every zone and conduit meets its target; if not, who owns it: network, device or blind spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from analyzers.findings import Severity
from api import figures
from api.context import Context, ContextDependency
from api.figures import Budget, ScopeFigures
from api.parameters import CaptureWindowParameters, ReportParameters
from api.problems import UnknownThing
from api.routes.reports import file_name, report_for
from api.routes.zones import window_of
from api.sites import KnownSite, known_site
from api.window import Window, fitting_step
from dashboards.heat import HeatRow, cell_length, heat_rows
from dashboards.links import Link, NetworkLinks
from dashboards.map_of_site import map_of_site
from dashboards.ranges import range_values, rfc3339, site_choices
from dashboards.rendering import render
from dashboards.sla_document import html_text
from dashboards.svg.bands import Bands, Mark, bands
from dashboards.svg.sparkline import sparkline
from dashboards.text import from_ns, headline
from store.answers import AlertFilter, SlaPoint
from store.client import Store
from store.queries import alerts, sla

router = APIRouter()

_TABLE_ROWS: Final = 60
_TILE_STEPS: Final = 60
_MARKS: Final = 40
_WORST: Final = 8


class NetworkParameters(CaptureWindowParameters):
    """A time range, and how the series is shown."""

    view: Literal["", "table"] = Field(default="")


@dataclass(frozen=True, slots=True)
class ZoneTile:
    """One zone of the overview."""

    figures: ScopeFigures
    purdue: float
    budget: Budget | None
    course: str
    href: str


@router.get("/network")
def overview(
    request: Request, context: ContextDependency, parameters: Annotated[CaptureWindowParameters, Query()]
) -> Response:
    """Every zone, worst first; every conduit by hour; the map."""
    store, site = context.store, known_site(context.store, parameters.replay, parameters.site)
    if site is None:
        return render(request, context, "network/nothing.html", section="network")
    window = window_of(store, parameters, site)
    links = NetworkLinks(parameters.replay, parameters.site)
    tiles = _tiles(store, site, window, links)
    return render(
        request,
        context,
        "network/overview.html",
        section="network",
        site=site,
        tiles=tiles,
        indicators_href=str(Link.of("/network/indicators", request.query_params.multi_items())),
        reports=_report_links(site, window, parameters),
        heat=_heat(store, site, [conduit.id for conduit in site.site.conduits], window, parameters.replay),
        map=map_of_site(
            site,
            sla.conduit_use(store, window.start, window.end, site=site.site.id, replay=parameters.replay),
            _statuses(tiles),
            links,
        ),
        links=links,
        **range_values(request, store, window, parameters.replay, site.site.id),
        sites=site_choices(store, "/network", site.site.id),
    )


@router.get("/network/report.html")
def report_document(context: ContextDependency, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """The SLA report as one file to keep, to print, to send: it is downloaded, never shown in place."""
    report = report_for(context, parameters)
    name = file_name(report, "html")
    return Response(
        html_text(report),
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/network/zones/{zone_id}")
def zone_page(
    zone_id: str,
    request: Request,
    context: ContextDependency,
    parameters: Annotated[NetworkParameters, Query()],
) -> Response:
    """One zone: its figures, their course, its conduits, where it lies, who makes it look bad."""
    store, site = context.store, known_site(context.store, parameters.replay, parameters.site)
    zone = site.zone(zone_id) if site else None
    if site is None or zone is None:
        raise UnknownThing("zone", zone_id, "/network")
    window = window_of(store, parameters, site)
    points = figures.complete(
        sla.zone_series(
            store,
            zone_id,
            window.start,
            window.end,
            window.step_s,
            site=site.site.id,
            replay=parameters.replay,
        ),
        window,
    )
    zones = figures.all_zones(store, site, window, parameters.replay)
    mine = next(other for other in zones if other.id == zone_id)
    conduits = [c.id for c in site.site.conduits if zone_id in (c.from_zone, c.to_zone)]
    return _scope_page(
        request,
        context,
        site,
        window,
        parameters,
        mine,
        points,
        kind="zone",
        zone=zone,
        conduit=None,
        heat=_heat(store, site, conduits, window, parameters.replay),
        map=map_of_site(
            site,
            sla.conduit_use(store, window.start, window.end, site=site.site.id, replay=parameters.replay),
            {z.id: z.verdict.status for z in zones},
            NetworkLinks(parameters.replay, parameters.site),
            zone_id,
        ),
        worst=sla.worst_conversations(
            store, zone_id, window.start, window.end, _WORST, site=site.site.id, replay=parameters.replay
        ),
    )


@router.get("/network/conduits/{conduit_id}")
def conduit_page(
    conduit_id: str,
    request: Request,
    context: ContextDependency,
    parameters: Annotated[NetworkParameters, Query()],
) -> Response:
    """One conduit: its figures, their course, what it allows."""
    store, site = context.store, known_site(context.store, parameters.replay, parameters.site)
    conduit = site.conduit(conduit_id) if site else None
    if site is None or conduit is None:
        raise UnknownThing("conduit", conduit_id, "/network")
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
    return _scope_page(
        request,
        context,
        site,
        window,
        parameters,
        figures.conduit_figures(store, site, conduit_id, window, parameters.replay),
        figures.complete(points, window),
        kind="conduit",
        zone=None,
        conduit=conduit,
        heat=_heat(store, site, [conduit_id], window, parameters.replay),
        map=None,
        worst=(),
    )


def _scope_page(
    request: Request,
    context: Context,
    site: KnownSite,
    window: Window,
    parameters: NetworkParameters,
    scope: ScopeFigures,
    points: Sequence[SlaPoint],
    **values: Any,
) -> Response:
    path = request.url.path
    links = NetworkLinks(parameters.replay, parameters.site)
    link = Link.of(path, request.query_params.multi_items())
    series_path = f"/api/v1{path.removeprefix('/network')}/sla.csv"
    shown = values["zone"].id if values["zone"] else values["conduit"].to_zone
    table: Sequence[SlaPoint] = ()
    if parameters.view == "table":
        coarse = window.with_step(fitting_step(window.span, _TABLE_ROWS))
        table = _series(context.store, site, values["kind"], scope.id, coarse, parameters.replay)
    return render(
        request,
        context,
        "network/scope.html",
        section="network",
        site=site,
        scope=scope,
        budget=figures.budget(scope),
        courses=_courses(points),
        charts=()
        if table
        else _charts(scope, points, window, _marks(context.store, site, shown, window, links)),
        table=[(point, figures.is_measured(point)) for point in table],
        reports=_report_links(site, window, parameters, **{values["kind"]: scope.id}),
        chart_href=str(link.drop("view")),
        table_href=str(link.put("view", "table")),
        csv_href=str(
            link.drop("view", "range")
            .to(series_path)
            .put("from", rfc3339(window.start))
            .put("to", rfc3339(window.end))
        ),
        links=links,
        **values,
        **range_values(request, context.store, window, parameters.replay, site.site.id),
    )


def _report_links(
    site: KnownSite, window: Window, parameters: CaptureWindowParameters, **scope: str
) -> dict[str, str]:
    """The window's SLA report, whole or of one scope, by form; none of one capture, since reports are of a site."""
    if parameters.replay:
        return {}
    wish = {"site": site.site.id, "from": rfc3339(window.start), "to": rfc3339(window.end), **scope}
    forms = {
        "HTML": "/network/report.html",
        "CSV": "/api/v1/sla/report.csv",
        "JSON": "/api/v1/sla/report",
    }
    return {form: str(Link.of(path, wish.items())) for form, path in forms.items()}


def _series(
    store: Store, site: KnownSite, kind: str, scope: str, window: Window, replay: str
) -> list[SlaPoint]:
    query = sla.zone_series if kind == "zone" else sla.conduit_series
    points = query(store, scope, window.start, window.end, window.step_s, site=site.site.id, replay=replay)
    return figures.complete(points, window)


def _tiles(store: Store, site: KnownSite, window: Window, links: NetworkLinks) -> list[ZoneTile]:
    """Every zone with its course, worst first."""
    coarse = window.with_step(fitting_step(window.span, _TILE_STEPS))
    series = sla.zones_series(
        store, coarse.start, coarse.end, coarse.step_s, site=site.site.id, replay=links.replay
    )
    tiles = []
    for zone in figures.all_zones(store, site, window, links.replay):
        points = figures.complete(series.get(zone.id, ()), coarse)
        values = figures.series(points, "transaction_p99_ns")
        if all(value is None for value in values):
            values = figures.series(points, "rtt_p95_ns")
        declared = site.zone(zone.id)
        tiles.append(
            ZoneTile(
                zone,
                declared.purdue if declared else 0.0,
                figures.budget(zone),
                sparkline(values),
                str(links.zone(zone.id)),
            )
        )
    return tiles


def _statuses(tiles: Sequence[ZoneTile]) -> dict[str, str]:
    return {tile.figures.id: tile.figures.verdict.status for tile in tiles}


def _courses(points: Sequence[SlaPoint]) -> dict[str, str]:
    """A small line for each tile of figures."""
    # what went wrong is drawn, not what went right: a miss is a peak
    bad = [None if value is None else 1 - value for value in figures.series(points, "availability")]
    return {
        "availability": sparkline(bad),
        "rtt": sparkline(figures.series(points, "rtt_p95_ns")),
        "transaction": sparkline(figures.series(points, "transaction_p99_ns")),
        "loss": sparkline(figures.series(points, "loss")),
        # of every step, as only this figure says what may not be judged
        "coverage": sparkline([None if p.coverage is None else 1 - p.coverage for p in points]),
    }


def _charts(
    scope: ScopeFigures, points: Sequence[SlaPoint], window: Window, marks: Sequence[Mark]
) -> list[tuple[str, str]]:
    """Title and drawing: the network's part (round trips, loss), then what the user sees (transactions, failures)."""
    seen = [figures.is_measured(point) for point in points]

    def ms(field: str) -> list[float | None]:
        return [None if value is None else value / 1e6 for value in figures.series(points, field)]

    loss = [None if value is None else value * 100 for value in figures.series(points, "loss")]
    bad = [None if value is None else (1 - value) * 100 for value in figures.series(points, "availability")]
    drawings: list[tuple[str, str]] = []
    for prefix, title, target, strip, strip_name in (
        ("rtt", "Round-trip time and loss", scope.target.rtt_p95_ns, loss, "loss"),
        ("transaction", "Transaction time and failures", scope.target.transaction_p99_ns, bad, "failed"),
    ):
        limit = target / 1e6
        percentile = "p95" if prefix == "rtt" else "p99"
        chart = Bands(
            id=prefix,
            title=title,
            start=window.start,
            end=window.end,
            step_s=window.step_s,
            measured=seen,
            p50=ms(f"{prefix}_p50_ns"),
            p95=ms(f"{prefix}_p95_ns"),
            p99=ms(f"{prefix}_p99_ns"),
            target=limit,
            target_label=f"{percentile} ≤ {limit:g} ms",
            strip=strip,
            strip_name=strip_name,
            marks=marks,
        )
        if any(value is not None for value in chart.p99) or prefix == "rtt":
            drawings.append((title, bands(chart)))
    return drawings


def _marks(store: Store, site: KnownSite, zone_id: str, window: Window, links: NetworkLinks) -> list[Mark]:
    """The zone's alerts as marks; those that would lie on each other become one that leads to the queue."""
    wanted = AlertFilter(zone=zone_id, replay=links.replay, site=site.site.id)
    rows = alerts.list_alerts(store, wanted, "", 500).alerts
    places: dict[int, list[int]] = {}
    width = window.span / _MARKS
    for index, row in enumerate(rows):
        moment = from_ns(row.first_ns)
        if window.start <= moment < window.end:
            places.setdefault((moment - window.start) // width, []).append(index)
    marks = []
    for _, group in sorted(places.items()):
        first = rows[group[-1]]
        severe = max(rows[i].severity for i in group) >= Severity.HIGH
        moment = from_ns(first.first_ns)
        if len(group) == 1:
            marks.append(
                Mark(
                    moment,
                    f"{first.kind} {headline(first.title)}, {moment:%H:%M} UTC",
                    f"/security/alerts/{first.id}",
                    severe,
                )
            )
        else:
            href = str(links.alerts(zone_id))
            marks.append(Mark(moment, f"{len(group)} alerts from {moment:%H:%M} UTC", href, severe))
    return marks


def _heat(
    store: Store, site: KnownSite, conduits: Sequence[str], window: Window, replay: str
) -> dict[str, Any]:
    """The heat map's rows and the labels above its columns."""
    cells = window.with_step(cell_length(window))
    points = sla.conduit_hours(
        store, cells.start, cells.end, step_s=cells.step_s, site=site.site.id, replay=replay
    )
    names = {}
    for conduit_id in conduits:
        conduit = site.conduit(conduit_id)
        if conduit:
            names[conduit_id] = f"{site.zone_name(conduit.from_zone)} → {site.zone_name(conduit.to_zone)}"
    targets = {conduit_id: site.conduit_target(conduit_id) for conduit_id in names}
    rows: list[HeatRow] = heat_rows(names, targets, points, cells)
    every = max(1, -(-cells.steps // 8))
    label = "%H:%M" if cells.step_s < 86_400 else "%d %b"
    heads = [f"{start:{label}}" if index % every == 0 else "" for index, start in enumerate(cells.starts())]
    return {"rows": rows, "heads": heads, "every": every, "cell_s": cells.step_s}
