"""The SLA report of a site in a store: for the command line, the API and the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from analyzers.periods import Period, held, named_month
from analyzers.sla_report import Source, sla_report
from analyzers.sla_report_form import SlaReport
from api.sites import KnownSite
from policy.zoning import compile_site
from store.client import Store
from store.queries import reported, sla


def period_of(
    store: Store, site: KnownSite, month: str = "", start: datetime | None = None, end: datetime | None = None
) -> Period:
    """The period asked for: a month of the site's calendar, or times; else all that the store holds of the site.

    One of the times may be left out: it is then the first or the last packet's minute. At most the last 30 days
    where nothing is asked for. ValueError, with the repair, where the wish makes no sense or nothing is stored.
    """
    span = sla.time_span(store, site=site.site.id)
    return chosen_period(span, site.site.tz, month, start, end)


def chosen_period(
    packets: tuple[datetime, datetime] | None,
    tz: str,
    month: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
) -> Period:
    """The same from the times of the first and the last packet; None where nothing was measured."""
    if month and (start or end):
        raise ValueError("a month beside a start or an end: give either the month, or the times")
    if month:
        return named_month(month, tz)
    if packets is None and not (start and end):
        raise ValueError("nothing was measured, so there is no period: name a month, or a start and an end")
    usual = held(*packets) if packets else None
    first = start or (usual.start if usual else None)
    last = end or (usual.end if usual else None)
    if first is None or last is None or first >= last:
        held_text = (
            f"; what was measured is from {_words(usual.start)} to {_words(usual.end)}" if usual else ""
        )
        raise ValueError(
            f"the period would end ({_words(last)}) before it starts ({_words(first)}){held_text}"
        )
    return Period(first, last)


def report_of_store(
    store: Store,
    site: KnownSite,
    period: Period,
    version: str,
    *,
    zones: Sequence[str] | None = None,
    conduits: Sequence[str] | None = None,
) -> SlaReport:
    """The report, made by `sla_report` from what is stored. KeyError for a scope that the policy does not declare."""
    source = Source(
        captures=reported.captures(store, site.site.id, period),
        policy_name=site.policy_name,
        policy_sha256=site.policy_sha256,
        version=version,
    )
    measured = reported.measured(store, site.site.id, period)
    return sla_report(compile_site(site.site), measured, period, source, zones=zones, conduits=conduits)


def _words(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "?"
