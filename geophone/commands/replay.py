"""The command `geophone replay`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from analyzers.severity import SEVERITY_NAMES, Severity
from geophone.commands.options import baseline_option, evidence_options, given_options
from geophone.guarded import PATH, engine_limits, user_errors

_STORE_HELP = "Where to keep the results: a folder (embedded ClickHouse) or the http(s) URL of a server."


def _use_threads(threads: int) -> None:
    """Bound the worker threads of the column engine; must run before it is imported."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))


@click.command()
@click.argument("captures", nargs=-1, required=True, type=PATH, metavar="CAPTURE...")
@click.option("--policy", "policy_file", required=True, type=PATH, help="The site's policy, a YAML file.")
@evidence_options
@baseline_option
@click.option("--store", "store_url", default=None, metavar="DIR|URL", help=_STORE_HELP)
@click.option(
    "--findings", "findings_file", type=PATH, help="Write the findings here, as canonical JSON lines."
)
@click.option(
    "--fail-on",
    type=click.Choice((*reversed(SEVERITY_NAMES), "never")),
    default="info",
    show_default=True,
    help="Exit with 1 when there is a finding of this severity or above.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="cores",
    help="Worker threads.",
)
@given_options
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def replay(
    captures: tuple[Path, ...],
    policy_file: Path,
    approvals_file: Path | None,
    gateway_file: Path | None,
    baseline_file: Path | None,
    store_url: str | None,
    findings_file: Path | None,
    fail_on: str,
    threads: int,
    limits: tuple[str, ...],
    rules_path: Path | None,
    indicator_files: tuple[Path, ...],
) -> None:
    """Replay captures under a policy: findings and zone SLAs.

    The same capture, policy, baseline and version give the same findings, byte for byte, on any machine. Findings
    that the policy suppresses are written and stored too, but do not count for --fail-on.
    """
    _use_threads(threads)
    with user_errors():
        from geophone.replaying import replay_all

        findings = replay_all(
            captures,
            policy_file,
            baseline_file=baseline_file,
            store_url=store_url,
            findings_file=findings_file,
            threads=threads,
            limits=engine_limits(limits),
            approvals_file=approvals_file,
            gateway_file=gateway_file,
            rules=rules_path,
            indicators=indicator_files,
        )
    counted = [finding for finding in findings if finding.suppression is None]
    if fail_on != "never" and any(f.severity >= Severity[fail_on.upper()] for f in counted):
        sys.exit(1)
