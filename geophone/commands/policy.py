"""The commands `geophone policy …`: what they take. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.guarded import PATH, engine_limits, user_errors


@click.group()
def policy() -> None:
    """The site's policy."""


@policy.command("check")
@click.argument("file", type=PATH)
@click.option("--strict", is_flag=True, help="Exit with 1 when there are remarks, too.")
def policy_check(file: Path, strict: bool) -> None:
    """Check a policy file: all errors at once, then remarks on what is allowed but unwise."""
    with user_errors():
        from geophone.policing import check

        remarks = check(file)
    if strict and remarks:
        sys.exit(1)


@policy.command("learn")
@click.argument("captures", nargs=-1, type=PATH, metavar="[CAPTURE...]")
@click.option("--store", "store_url", metavar="DIR|URL", help="What a store holds, instead of captures.")
@click.option(
    "--baseline",
    "baseline_file",
    type=PATH,
    metavar="FILE",
    help="What a baseline knows, instead of captures.",
)
@click.option(
    "--site",
    "site_id",
    default="",
    metavar="ID",
    help="The site's id: of a store, which site; else site-1, or the baseline's.",
)
@click.option("--name", default="", help="The site's name for people; its id if left out.")
@click.option("--tz", default="UTC", show_default=True, help="The site's time zone, of the IANA database.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def policy_learn(
    captures: tuple[Path, ...],
    store_url: str | None,
    baseline_file: Path | None,
    site_id: str,
    name: str,
    tz: str,
    output: Path | None,
    limits: tuple[str, ...],
) -> None:
    """Draft a policy: zones, conduits and rules that allow what was seen, for you to review.

    From captures, from what a store holds of them (the same draft), or from a baseline: it knows conversations that
    carried something, and no addresses that Modbus read. Each rule says how often and when it was seen. Levels, names
    and owners are yours to set.
    """
    with user_errors():
        from geophone.policy_learning import learn_policy

        learn_policy(
            captures,
            store_url=store_url,
            baseline_file=baseline_file,
            site_id=site_id,
            name=name,
            tz=tz,
            output=output,
            limits=engine_limits(limits),
        )


@policy.command("explain")
@click.argument("file", type=PATH)
@click.argument("client")
@click.argument("server")
@click.argument("service", required=False, default="")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="The port, where it is not the usual one."
)
def policy_explain(file: Path, client: str, server: str, service: str, port: int | None) -> None:
    """Say which rule lets CLIENT open SERVICE on SERVER, or what denies it.

    CLIENT and SERVER are addresses or assets of the policy. Exits with 1 where it is denied.
    """
    with user_errors():
        from geophone.policing import explain_conversation

        allowed = explain_conversation(file, client, server, service, port or 0)
    if not allowed:
        sys.exit(1)


@policy.command("diff")
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@click.option(
    "--capture",
    "captures",
    type=PATH,
    multiple=True,
    help="Also say which findings of this capture change. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def policy_diff(before: Path, after: Path, captures: tuple[Path, ...], as_json: bool) -> None:
    """Say what changed in meaning from one policy to another, and with captures which verdicts change.

    Order, comments and how a value is written are no change. Exits with 1 where something changed that a verdict can
    depend on.
    """
    with user_errors():
        from geophone.diffing import print_difference

        differs = print_difference(before, after, captures, as_json=as_json)
    if differs:
        sys.exit(1)
