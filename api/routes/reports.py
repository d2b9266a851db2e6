"""The SLA report of a site: what goes into a review."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from analyzers.sla_report_form import SlaReport
from api.context import Context, ContextDependency
from api.parameters import ReportParameters
from api.problems import FieldProblem, Problem, UnknownThing
from api.routes.zones import site_or_problem
from api.sla_forms import csv_text
from api.sla_of_store import period_of, report_of_store

router = APIRouter(tags=["reports"])

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def report_for(context: Context, parameters: ReportParameters) -> SlaReport:
    """The report that the parameters ask for; the same function as the command line's."""
    site = site_or_problem(context.store, site=parameters.site)
    for zone in parameters.zone:
        if site.zone(zone) is None:
            raise UnknownThing("zone", zone, "/api/v1/zones")
    for conduit in parameters.conduit:
        if site.conduit(conduit) is None:
            raise UnknownThing("conduit", conduit, "/api/v1/conduits")
    try:
        period = period_of(context.store, site, parameters.month, parameters.from_, parameters.to)
    except ValueError as error:
        name = "month" if parameters.month else "from"
        fields = [FieldProblem(parameter=name, problem=str(error), repair="see the parameter's description")]
        raise Problem(422, f"{name}: {error}", "give a month like 2026-11, or from and to", fields) from error
    some = bool(parameters.zone or parameters.conduit)
    return report_of_store(
        context.store,
        site,
        period,
        context.settings.version,
        zones=parameters.zone if some else None,
        conduits=parameters.conduit if some else None,
    )


def file_name(report: SlaReport, suffix: str) -> str:
    """A name for the download."""
    period = report.period_name or f"{report.period.start:%Y%m%dT%H%MZ}-{report.period.end:%Y%m%dT%H%MZ}"
    return f"{_UNSAFE.sub('-', f'sla-{report.site}-{period}')}.{suffix}"


@router.get("/sla/report")
def sla_report(context: ContextDependency, parameters: Annotated[ReportParameters, Query()]) -> SlaReport:
    """Every zone and conduit against its target: budgets, burn, outcomes, times, loss, exclusions, what is missing."""
    return report_for(context, parameters)


@router.get("/sla/report.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def sla_report_csv(context: ContextDependency, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """The same report, one row a scope, as comma-separated values; empty cells are 'not measured'."""
    report = report_for(context, parameters)
    return Response(
        csv_text(report),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{file_name(report, "csv")}"'},
    )
