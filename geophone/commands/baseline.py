"""The commands `geophone baseline …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors

_STATES = ("known", "too seldom", "forbidden", "accepted")
_STORE = click.option(
    "--store",
    "store_url",
    metavar="DIR|URL",
    help="A store: a folder (embedded ClickHouse) or the http(s) URL of a server.",
)


@click.group()
def baseline() -> None:
    """What usually happens on the network: learned, shown, accepted, compared with."""


@baseline.command("learn")
@click.argument("captures", nargs=-1, required=True, type=PATH, metavar="CAPTURE...")
@click.option("--policy", "policy_file", required=True, type=PATH, help="The site's policy, a YAML file.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write the baseline here.")
@_STORE
@click.option(
    "--min-count",
    type=click.IntRange(1, 1_000_000),
    help="How often something must be seen to be known; the policy's `baseline.min_count` if left out.",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def learn(
    captures: tuple[Path, ...],
    policy_file: Path,
    output: Path | None,
    store_url: str | None,
    min_count: int | None,
    limits: tuple[str, ...],
) -> None:
    """Learn from captures what usually happens, and keep it in a file, a store, or both.

    What the policy forbids is listed, and does not become known.
    """
    with user_errors():
        from geophone.baselining import learn_to

        learn_to(
            captures,
            policy_file,
            output=output,
            store_url=store_url,
            min_count=min_count,
            limits=engine_limits(limits),
        )


@baseline.command("show")
@click.argument("file", type=PATH)
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind. May be repeated.")
@click.option("--state", type=click.Choice(_STATES), default=None, help="Only facts of this state.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
def show(file: Path, kinds: tuple[str, ...], state: str | None, as_json: bool, as_csv: bool) -> None:
    """List what a baseline learned: who did what, how often, in how many hours and days, and with which values."""
    with user_errors():
        from geophone.baselining import show as show_facts
        from geophone.listing import form_of

        show_facts(file, kinds=kinds, state=state or "", form=form_of(as_json=as_json, as_csv=as_csv))


@baseline.command("diff")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
def diff(old: Path, new: Path, as_json: bool, as_csv: bool) -> None:
    """List what NEW knows and OLD does not, and the other way round. Exits with 1 where they differ."""
    with user_errors():
        from geophone.baselining import differences
        from geophone.listing import form_of

        changes = differences(old, new, form_of(as_json=as_json, as_csv=as_csv))
    if changes:
        sys.exit(1)


@baseline.command("accept")
@click.argument("file", type=PATH)
@click.argument("facts", nargs=-1, required=True, metavar="FACT...")
@click.option("--who", required=True, help="Who answers for it.")
@click.option("--why", required=True, help="Why it is well, or the change that brought it.")
@click.option(
    "--values", type=(int, int), default=None, metavar="LEAST GREATEST", help="Values that may be written."
)
def accept(file: Path, facts: tuple[str, ...], who: str, why: str, values: tuple[int, int] | None) -> None:
    """Make a FACT known that was not learned: an id that `show` lists, or the fact itself.

    A fact is written like "modbus.write 10.0.0.5 10.0.0.9:502 unit 1, holding 300-303".
    """
    with user_errors():
        from geophone.baselining import accept as accept_facts

        accept_facts(file, facts, who=who, why=why, values=values)


@baseline.command("keep")
@click.argument("file", type=PATH)
@click.option("--store", "store_url", required=True, metavar="DIR|URL", help="The store to keep it in.")
def keep(file: Path, store_url: str) -> None:
    """Make FILE the baseline of its site in a store: sessions and replays there are compared with it."""
    with user_errors():
        from analyzers.baseline.file import load
        from geophone.baselining import keep as keep_in

        keep_in(load(file), store_url)


@baseline.command("export")
@click.option("--store", "store_url", required=True, metavar="DIR|URL", help="The store that has it.")
@click.option("--site", default="", metavar="ID", help="Which site's; not needed where there is one.")
@click.option("--sha256", default="", metavar="HASH", help="The one with this hash, not the latest.")
@click.option("-o", "--output", required=True, type=PATH, metavar="FILE", help="Write the baseline here.")
def export(store_url: str, site: str, sha256: str, output: Path) -> None:
    """Write the baseline that a store has of a site to a file."""
    with user_errors():
        from geophone.baselining import export as export_to

        export_to(store_url, site, output, sha256=sha256)
