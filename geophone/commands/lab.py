"""The commands of `geophone lab`: what they take, and what they exit with. The work is elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from geophone.guarded import PATH, user_errors

_NAME: Final = click.option(
    "--name", default="geolab", show_default=True, help="Which lab: its namespaces are called NAME-plc1 …"
)


@click.group()
def lab() -> None:
    """A plant of real stacks on this machine, with known truth. Needs root and network namespaces.

    Controllers, an OPC UA server, an MQTT broker, SSH hosts and their clients, each in a network namespace; a link
    that loses and delays frames and writes down which; mirror ports as a SPAN port has them.
    """


@lab.command()
@_NAME
def up(name: str) -> None:
    """Build the plant; it runs until `geophone lab down`."""
    with user_errors():
        from geophone.lab.plants import build

        build(name)


@lab.command()
@_NAME
def down(name: str) -> None:
    """Remove the plant, or what is left of one that was killed."""
    with user_errors():
        from geophone.lab.plants import remove

        remove(name)


@lab.command("list")
def list_scenarios() -> None:
    """List the scenarios, and the labs of this machine."""
    with user_errors():
        from geophone.lab.plants import print_scenarios

        print_scenarios()


@lab.command()
@click.argument("scenario")
@_NAME
@click.option("--out", type=PATH, metavar="DIR", help="The recording's folder; lab-SCENARIO where left out.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=2, max=86_400),
    default=None,
    help="How long; the scenario's own time where left out.",
)
def run(scenario: str, name: str, out: Path | None, seconds: float | None) -> None:
    """Play SCENARIO and record it: a capture a mirror port, what the link did to each frame, what was asked.

    On the plant that is up; else one is built, and removed afterwards.
    """
    with user_errors():
        from geophone.lab.plants import record

        record(name, scenario, out or Path(f"lab-{scenario}"), seconds)


@lab.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@_NAME
@click.option(
    "--recording",
    "recordings",
    type=PATH,
    multiple=True,
    metavar="DIR",
    help="A recording of `lab run`, instead of playing anew.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=2, max=86_400),
    default=None,
    help="How long each; its own time if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
@click.option("--markdown", type=PATH, metavar="FILE", help="Write the tables here as well, as Markdown.")
def truth(
    scenarios: tuple[str, ...],
    name: str,
    recordings: tuple[Path, ...],
    seconds: float | None,
    as_json: bool,
    markdown: Path | None,
) -> None:
    """Play scenarios with known faults, and hold what the sensor measures against what the link did.

    Without SCENARIO: all that are measured. Exits with 1 where an aim is missed.
    """
    with user_errors():
        from geophone.lab.truth import check

        right = check(
            scenarios, name, recordings=recordings, seconds=seconds, as_json=as_json, markdown=markdown
        )
    if not right:
        sys.exit(1)


@lab.command()
@_NAME
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8642,
    show_default=True,
    help="First port to try for the pages.",
)
@click.option(
    "--store", type=PATH, metavar="DIR", help="Keep the results here instead of a temporary folder."
)
@click.option(
    "--scenario",
    "planted",
    multiple=True,
    metavar="NAME",
    help="What happens that should not, one a round; may be repeated. Four kinds in turn where left out.",
)
@click.option(
    "--duration", "duration_s", type=click.FloatRange(min=1), metavar="SECONDS", help="End after so long."
)
def live(
    name: str, port: int, store: Path | None, planted: tuple[str, ...], duration_s: float | None
) -> None:
    """Watch it: the plant's normal day, `geophone run` on its SPAN port, and findings on the pages as they happen.

    Ends with Ctrl-C or SIGTERM; the plant is removed, unless it was up before.
    """
    with user_errors():
        from geophone.lab.live import PLANTED, LiveOptions
        from geophone.lab.live import live as watch

        options = LiveOptions(
            lab=name, port=port, store=store, planted=planted or PLANTED, duration_s=duration_s
        )
        sys.exit(watch(options))
