"""The command `geophone run`: what it takes. The work is elsewhere and imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geophone.commands.options import baseline_option, evidence_options, given_options, serving_options
from geophone.guarded import PATH, engine_limits, user_errors


@click.command()
@click.option(
    "-i", "--interface", required=True, metavar="IF", help="The interface, of a SPAN port or a tap."
)
@click.option("--policy", "policy_file", required=True, type=PATH, help="The site's policy, a YAML file.")
@evidence_options
@baseline_option
@click.option(
    "--store",
    "store_url",
    required=True,
    metavar="DIR|URL",
    help="Where to keep the results: a folder (embedded ClickHouse) or the http(s) URL of a server.",
)
@serving_options
@click.option("--user", help="Whom root becomes once the interface is open (nobody).")
@click.option(
    "--allow-address", is_flag=True, help="Listen although this machine has an address on the interface."
)
@given_options
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def run(
    interface: str,
    policy_file: Path,
    approvals_file: Path | None,
    gateway_file: Path | None,
    baseline_file: Path | None,
    store_url: str,
    port: int,
    operator: str,
    user: str | None,
    allow_address: bool,
    limits: tuple[str, ...],
    rules_path: Path | None,
    indicator_files: tuple[Path, ...],
) -> None:
    """Listen to a network interface, judge what it brings, and serve the pages: findings appear as they happen.

    What somebody did to a device is found within seconds, what crosses zones without a conduit when its minute is
    over, and the figures of a minute are there when the next one is over. Sends nothing to the network.

    Ends with Ctrl-C or SIGTERM, with every row stored; exits with 2 where the interface was lost.
    """
    with user_errors():
        from sensors import privileges

        # Before anything that starts threads is imported: a thread has what its maker had.
        privileges.renounce()
        from geophone.live.running import RunOptions
        from geophone.live.running import run as run_until_stopped
        from sensors.live import Listening

        options = RunOptions(
            listening=Listening(interface=interface),
            policy=policy_file,
            approvals=approvals_file,
            gateway_log=gateway_file,
            baseline=baseline_file,
            store=store_url,
            port=port,
            operator=operator,
            user=user,
            allow_address=allow_address,
            limits=engine_limits(limits),
            rules=rules_path,
            indicators=indicator_files,
        )
        sys.exit(run_until_stopped(options))
