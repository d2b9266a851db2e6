"""`geophone lab truth`: scenarios played, measured by the product, and held against what is true of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from geophone.errors import UsageProblem
from geophone.lab.compare import Comparison, compare
from geophone.lab.measured import measure
from geophone.lab.needed import with_lab_packages
from geophone.lab.plants import tell
from geophone.lab.tables import as_json as json_of
from geophone.lab.tables import as_markdown, print_comparison
from geophone.lab.through_report import report_of, report_rows
from geophone.report import summary_console
from pcaps import POLICIES
from pcaps.lab.plant.link.truth import crossings
from pcaps.lab.plant.plant import borrowed
from pcaps.lab.plant.playing import Played, play, played
from pcaps.lab.plant.plays import SCENARIOS, scenario
from pcaps.lab.plant.plays.base import Scenario

#: What the plant's zones and stations are.
POLICY: Final = POLICIES / "lab-plant.yaml"


@with_lab_packages
def check(
    names: Iterable[str],
    lab: str,
    *,
    recordings: Iterable[Path] = (),
    seconds: float | None = None,
    as_json: bool = False,
    markdown: Path | None = None,
) -> bool:
    """Compare each, print the tables; whether every aim was met. Raises LabError, UsageProblem."""
    console = summary_console()
    done: list[Comparison] = []
    for one in _comparisons(names, lab, recordings, seconds):
        done.append(one)
        if not as_json:
            print_comparison(console, one)
            console.print()
    if as_json:
        click.echo(json.dumps(json_of(done), indent=1))
    if markdown is not None:
        _write(markdown, as_markdown(done))
    missed = sum(len(one.missed) for one in done)
    if not as_json:
        click.echo("every aim is met" if not missed else f"{missed} aims are missed")
    return not missed


def compared(one: Played) -> Comparison:
    """Measure every capture of a recording, and compare: what the analyzers say, and what the SLA report does."""
    comparison = compare(one, {span: measure(one.capture(span), POLICY) for span in one.scenario.spans})
    reports = {span: report_of(one.capture(span), POLICY) for span in one.scenario.spans}
    return replace(comparison, reported=tuple(report_rows(one, reports, list(crossings(one.link_log)))))


def _comparisons(
    names: Iterable[str], lab: str, recordings: Iterable[Path], seconds: float | None
) -> Iterator[Comparison]:
    given = [played(folder) for folder in recordings]
    chosen = [scenario(name) for name in names]
    if not given and not chosen:
        chosen = [one for one in SCENARIOS if one.measured]
    for one in (*chosen, *(recorded.scenario for recorded in given)):
        _refuse_unmeasured(one)
    yield from map(compared, given)
    if not chosen:
        return
    services = dict.fromkeys(service for one in chosen for service in one.services)
    with (
        tempfile.TemporaryDirectory(prefix="geophone-lab-") as scratch,
        borrowed(lab, services, tell) as plant,
    ):
        for number, one in enumerate(chosen):
            tell(f"{one.name}: {one.title}, {seconds or one.seconds:g} s")
            yield compared(play(plant, one, Path(scratch) / str(number), seconds=seconds))


def _refuse_unmeasured(one: Scenario) -> None:
    if not one.measured:
        known = ", ".join(other.name for other in SCENARIOS if other.measured)
        raise UsageProblem(f"nothing of {one.name} is measured against the truth; these are: {known}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise UsageProblem(f"--markdown {path}: {error.strerror or error}") from error
