"""`geophone sla`: captures and a policy, or a store, in; the SLA report in the form asked for out."""

from __future__ import annotations

import io
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from analyzers.sla_report import Source, sla_report
from analyzers.sla_report_form import SlaReport
from api.sites import KnownSite, known_sites
from api.sla_forms import csv_text, json_text
from api.sla_of_store import chosen_period, period_of, report_of_store
from dashboards.sla_document import html_text
from geophone import __version__
from geophone.errors import UsageProblem
from geophone.measuring import measure
from geophone.report import summary_console
from geophone.sla_text import print_report
from policy.loader import load
from policy.model import Site
from policy.zoning import compile_site
from sensors.capture import open_capture, spooled
from sensors.engine import EngineLimits
from sensors.whole_file import whole_file
from store.client import Store, open_store

#: Width of a report that goes to a file: the table needs it.
_FILE_COLUMNS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What `geophone sla` was asked for."""

    captures: tuple[Path, ...] = ()
    policy: Path | None = None
    store: str | None = None
    site: str | None = None
    zones: tuple[str, ...] = ()
    conduits: tuple[str, ...] = ()
    month: str = ""
    start: datetime | None = None
    end: datetime | None = None
    form: str = "text"
    output: Path | None = None
    limits: EngineLimits | None = None


def write_report(wish: Wish) -> None:
    """Make the report and write it. Raises UsageProblem, PolicyError, CaptureUnreadable, StoreError."""
    _refuse_contradictions(wish)
    report = _from_store(wish) if wish.store is not None else report_of_captures(wish)
    if wish.output is None:
        if wish.form == "text":
            console = summary_console()
            print_report(console if console.is_terminal else Console(width=_FILE_COLUMNS), report)
        else:
            # the report's own line ends, in UTF-8, whatever the terminal's habits are
            sys.stdout.buffer.write(_text(report, wish.form).encode())
            sys.stdout.buffer.flush()
        return
    try:
        with whole_file(wish.output) as out:
            out.write(_text(report, wish.form).encode())
    except OSError as problem:
        raise UsageProblem(f"--output {wish.output}: {problem.strerror or problem}") from problem


def _text(report: SlaReport, form: str) -> str:
    if form == "text":
        text = io.StringIO()
        print_report(Console(file=text, width=_FILE_COLUMNS), report)
        return text.getvalue()
    return {"json": json_text, "csv": csv_text, "html": html_text}[form](report)


def _refuse_contradictions(wish: Wish) -> None:
    if wish.store is not None and wish.captures:
        raise UsageProblem(
            "captures beside --store: give one of them; `geophone replay --store` stores captures"
        )
    if wish.store is None and not wish.captures:
        raise UsageProblem("nothing to report on: name captures and a --policy, or a --store")
    if wish.store is not None and wish.policy is not None:
        raise UsageProblem(
            "--policy goes without --store: what is stored was measured under the store's policy"
        )
    if wish.store is None and wish.policy is None:
        raise UsageProblem("--policy is missing: it says which zones there are and what they are held to")
    if wish.store is None and wish.site is not None:
        raise UsageProblem("--site goes with --store: captures are of the policy's site")
    if wish.store is not None and wish.limits is not None:
        raise UsageProblem("--limit goes without --store: nothing is decoded")
    if wish.output is not None and not wish.output.parent.is_dir():
        raise UsageProblem(
            f"--output {wish.output}: the folder {wish.output.parent} does not exist; make it first"
        )
    if wish.output is not None and wish.output.is_dir():
        raise UsageProblem(f"--output {wish.output}: this is a folder; name a file")


def report_of_captures(wish: Wish) -> SlaReport:
    """The report of the captures that the wish names, under its policy. As `write_report` raises."""
    if wish.policy is None:
        raise UsageProblem("--policy is missing")
    policy = load(wish.policy)
    _refuse_unknown_scopes(policy.site, wish)
    site = compile_site(policy.site)
    named = [open_capture(path) for path in wish.captures]
    if sum(capture.is_stream for capture in named) > 1:
        raise UsageProblem("-: standard input can be read once")
    with ExitStack() as stack:
        opened = [stack.enter_context(spooled(capture)) for capture in named]
        measurements = measure(opened, site, wish.limits)
    try:
        period = chosen_period(measurements.packet_times, policy.site.tz, wish.month, wish.start, wish.end)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from problem
    measured, captures = measurements.within(period)
    source = Source(captures, policy.name, policy.sha256, __version__)
    zones, conduits = _scopes(wish)
    return sla_report(site, measured, period, source, zones=zones, conduits=conduits)


def _from_store(wish: Wish) -> SlaReport:
    if wish.store is None:
        raise UsageProblem("--store is missing")
    with open_store(wish.store) as store:
        site = _site_of(store, wish)
        _refuse_unknown_scopes(site.site, wish)
        try:
            period = period_of(store, site, wish.month, wish.start, wish.end)
        except ValueError as problem:
            raise UsageProblem(str(problem)) from problem
        zones, conduits = _scopes(wish)
        return report_of_store(store, site, period, __version__, zones=zones, conduits=conduits)


def _site_of(store: Store, wish: Wish) -> KnownSite:
    sites = known_sites(store)
    if not sites:
        raise UsageProblem(
            f"--store {wish.store}: it holds no finished replay; run: geophone replay FILE --policy FILE --store DIR"
        )
    names = [site.site.id for site in sites]
    if wish.site is None:
        return sites[0]
    if wish.site not in names:
        raise UsageProblem(f"--site {wish.site}: the store's sites are {', '.join(sorted(names))}")
    return sites[names.index(wish.site)]


def _refuse_unknown_scopes(site: Site, wish: Wish) -> None:
    for option, wanted, known in (
        ("--zone", wish.zones, [zone.id for zone in site.zones]),
        ("--conduit", wish.conduits, [conduit.id for conduit in site.conduits]),
    ):
        for name in wanted:
            if name not in known:
                raise UsageProblem(f"{option} {name}: the policy's are {', '.join(known) or 'none'}")


def _scopes(wish: Wish) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The scopes asked for; (None, None) for all."""
    return (wish.zones, wish.conduits) if wish.zones or wish.conduits else (None, None)
