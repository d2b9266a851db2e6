"""The SLA report: what was measured in a period in, every zone and conduit against its target out.

One pure function for the command line, the API and the pages, whether the figures come from a capture or from the
store: the same measured minutes give the same report, byte for byte. What was not measured is said, and is never met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from analyzers.periods import ROLLING, Period
from analyzers.sla_indicators import report_indicators
from analyzers.sla_report_form import METHOD, CaptureName, Scope, SlaReport, Span, Watched
from analyzers.sla_scope import ScopeRows, scope_of
from analyzers.sla_totals import Measured
from policy.zoning import CompiledSite

_MINUTES_OF_ROLLING: Final = int(ROLLING.total_seconds()) // 60


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures come from: the captures, the policy they were measured under, the version that reports."""

    captures: tuple[CaptureName, ...]
    policy_name: str
    policy_sha256: str
    version: str


def sla_report(
    site: CompiledSite,
    measured: Measured,
    period: Period,
    source: Source,
    *,
    zones: Sequence[str] | None = None,
    conduits: Sequence[str] | None = None,
) -> SlaReport:
    """The report of a site over a period; of all scopes, or of those asked for, in the policy's order.

    With neither `zones` nor `conduits` given, every declared one. KeyError for one that is not declared.
    """
    everything = zones is None and conduits is None
    wanted_zones = set(site.zones if everything else zones or ())
    wanted_conduits = set(site.conduits if everything else conduits or ())
    for unknown in (wanted_zones - set(site.zones)) | (wanted_conduits - set(site.conduits)):
        raise KeyError(unknown)
    budget_minutes = period.minutes if period.name else max(period.minutes, _MINUTES_OF_ROLLING)
    rows = ScopeRows(measured.totals, measured.minutes, measured.capture, period, budget_minutes)
    scopes: list[Scope] = []
    for zone in site.site.zones:
        if zone.id in wanted_zones:
            here = (pl.col("from_zone") == zone.id) | (pl.col("to_zone") == zone.id)
            scopes.append(scope_of(rows, "zone", zone.id, zone.label, site.zone_targets[zone.id], here))
    for conduit in site.site.conduits:
        if conduit.id in wanted_conduits:
            sides = site.zones[conduit.from_zone].label, site.zones[conduit.to_zone].label
            here = pl.col("conduit") == conduit.id
            target = site.conduit_targets[conduit.id]
            scopes.append(scope_of(rows, "conduit", conduit.id, " → ".join(sides), target, here, sides))
    return SlaReport(
        method=METHOD,
        version=source.version,
        site=site.site.id,
        site_name=site.site.name,
        time_zone=site.site.tz,
        policy_name=source.policy_name,
        policy_sha256=source.policy_sha256,
        captures=_in_order(source.captures),
        period=_span(period, site.site.tz),
        period_name=period.name,
        budget_minutes=budget_minutes,
        watched=Watched(
            minutes=measured.capture.minutes,
            packets=measured.capture.packets,
            dropped_packets=measured.capture.dropped_packets,
            unseen_segments=measured.capture.unseen_segments,
            duplicate_packets=measured.capture.duplicate_packets,
            first_packet=_moment(measured.capture.first_ns),
            last_packet=_moment(measured.capture.last_ns),
        ),
        scopes=tuple(scopes),
        indicators=report_indicators(scopes),
    )


def _in_order(captures: Iterable[CaptureName]) -> tuple[CaptureName, ...]:
    return tuple(sorted(set(captures), key=lambda capture: (capture.name, capture.sha256)))


def _span(period: Period, tz: str) -> Span:
    local = ZoneInfo(tz)
    start, end = period.start.astimezone(UTC), period.end.astimezone(UTC)
    return Span(
        start=start,
        end=end,
        start_local=start.astimezone(local),
        end_local=end.astimezone(local),
        minutes=period.minutes,
    )


def _moment(at_ns: int | None) -> datetime | None:
    if at_ns is None:
        return None
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
