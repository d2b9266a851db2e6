"""`geophone lab up`, `down`, `list` and `run`: the plant itself, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geophone.lab.needed import with_lab_packages


@with_lab_packages
def build(name: str) -> None:
    """Build a plant that stays."""
    from pcaps.lab.plant.layout import SPANS
    from pcaps.lab.plant.plant import up

    plant = up(name, tell)
    click.echo(f"The lab {name} is up. Mirror ports:")
    for span, place in SPANS.items():
        click.echo(f"  ip netns exec {plant.namespace(place)} geophone sensor --interface {span}")
    click.echo(
        f"geophone lab run SCENARIO{option(name)} plays on it, geophone lab down{option(name)} removes it."
    )


@with_lab_packages
def remove(name: str) -> None:
    """Remove a plant, or what is left of one."""
    from pcaps.lab.plant.plant import down

    down(name, tell)
    click.echo(f"The lab {name} is removed.")


@with_lab_packages
def print_scenarios() -> None:
    """What can be played, and which labs there are."""
    from pcaps.lab.plant.plays import SCENARIOS
    from pcaps.lab.plant.state import labs

    table = Table(box=None, pad_edge=False)
    for heading in ("scenario", "a recording of …", "seconds", "lab truth"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in SCENARIOS:
        table.add_row(one.name, one.title, f"{one.seconds:g}", "yes" if one.measured else "")
    console = Console()
    console.print(table)
    found = labs()
    for lab in found:
        words = {
            "up": "is up",
            "own": "is in use, or was killed",
            "building": "is being built, or was killed",
        }
        console.print(Text(f"The lab {lab.name} {words[lab.stage]}: {len(lab.namespaces)} namespaces."))
    if not found:
        console.print(Text("No lab is up."))


@with_lab_packages
def record(name: str, scenario_name: str, folder: Path, seconds: float | None) -> None:
    """Play a scenario and keep its recording."""
    from pcaps.lab.plant.plant import borrowed
    from pcaps.lab.plant.playing import play, refuse_existing
    from pcaps.lab.plant.plays import scenario

    chosen = scenario(scenario_name)
    refuse_existing(folder)
    with borrowed(name, chosen.services, tell) as plant:
        played = play(plant, chosen, folder, seconds=seconds)
    click.echo(f"{chosen.name}: {chosen.title}")
    for span in chosen.spans:
        capture = played.capture(span)
        click.echo(f"  {capture}  {capture.stat().st_size:,} bytes")
    click.echo(f"  {played.link_log}  what the link did to each frame")


def option(name: str) -> str:
    """How the lab is named on the command line."""
    from pcaps.lab.plant.state import DEFAULT_NAME

    return "" if name == DEFAULT_NAME else f" --name {name}"


def tell(text: str) -> None:
    """Say what goes on, apart from the results."""
    click.echo(text, err=True)
