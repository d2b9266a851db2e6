"""Options that several commands have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from geophone.guarded import PATH, user_errors

Command = TypeVar("Command", bound=Callable[..., Any])


def given_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --rules and --indicators, as `rules_path` and `indicator_files`."""
    command = indicators_option(required=False)(command)
    return click.option(
        "--rules",
        "rules_path",
        type=PATH,
        metavar="DIR",
        help="Run the Sigma rules of this folder (docs/rules.md).",
    )(command)


def indicators_option(*, required: bool) -> Callable[[Command], Command]:
    """Add --indicators, as `indicator_files`."""
    return click.option(
        "--indicators",
        "indicator_files",
        required=required,
        multiple=True,
        type=PATH,
        metavar="FILE",
        help="Look for the threat indicators of this STIX 2.1 bundle or CSV file. May be repeated.",
    )


def baseline_option(command: Command) -> Command:
    """Add --baseline, as `baseline_file`."""
    return click.option(
        "--baseline",
        "baseline_file",
        type=PATH,
        metavar="FILE",
        help="Compare with this baseline; else with the store's, else with what the policy lets be learned first.",
    )(command)


def serving_options(command: Command) -> Command:
    """Add what commands take that serve the pages: --port and --operator."""
    port = click.option(
        "--port", type=click.IntRange(1, 65535), default=8642, show_default=True, help="First port to try."
    )
    operator = click.option(
        "--operator",
        default="local",
        show_default=True,
        help="The name that decisions on alerts are signed with.",
    )
    return port(operator(command))


def evidence_options(command: Command) -> Command:
    """The options of commands that judge visits: which imported files they are held against."""
    approvals = click.option(
        "--approvals",
        "approvals_file",
        type=PATH,
        help="Imported approvals; the policy's `evidence` if left out.",
    )
    gateway_log = click.option(
        "--gateway-log",
        "gateway_file",
        type=PATH,
        help="Imported logins of the gateway; the policy's `evidence` if left out.",
    )
    return approvals(gateway_log(command))


def history_options(command: Command) -> Command:
    """What the commands take that look through a store: `store_url`, `replay_id`, `findings_file`, `raised`."""
    store = click.option(
        "--store",
        "store_url",
        required=True,
        metavar="DIR|URL",
        help="Where the results are kept: a folder (embedded ClickHouse) or the http(s) URL of a server.",
    )
    replay = click.option(
        "--replay",
        "replay_id",
        default="",
        metavar="ID",
        help="Only this replay; else the latest of each capture.",
    )
    findings = click.option(
        "--findings", "findings_file", type=PATH, help="Write the findings here, as canonical JSON lines."
    )
    raised = click.option(
        "--raise",
        "raised",
        is_flag=True,
        help="Write into the store, too: the findings as a record of their own, and an alert for each that has none. "
        "The replay, its rows and its own findings stay as they are; again, with the same result, writes nothing.",
    )
    return store(replay(findings(raised(command))))


def import_options(command: Command) -> Command:
    """What the commands take that import another system's export: `export`, `mapping_file`, `output`."""
    export = click.argument("export", type=PATH, metavar="FILE")
    mapping = click.option(
        "--mapping",
        "mapping_file",
        type=PATH,
        required=True,
        metavar="FILE",
        help="How the export is written, YAML.",
    )
    output = click.option(
        "-o",
        "--output",
        type=PATH,
        required=True,
        metavar="FILE",
        help="The file for --approvals or --gateway-log; keeps what it has.",
    )
    return export(mapping(output(command)))


def run_import(kind: str, export: Path, mapping_file: Path, output: Path) -> None:
    """Import, and say what was taken; ends with 1 where rows were rejected."""
    with user_errors():
        from geophone.importing.run import import_file, rejected_file

        done = import_file(kind, export, mapping_file, output)
    click.echo(
        f"{output}: {done.taken:,} rows taken, {done.new:,} of them new, {done.passed_over:,} passed over, "
        f"{done.rejected:,} rejected; {done.total:,} lines now"
    )
    if done.rejected:
        for reason in done.first_rejected:
            click.echo(f"{export}:{reason}", err=True)
        click.echo(f"{rejected_file(output)} lists all {done.rejected:,} rejected rows", err=True)
        sys.exit(1)
