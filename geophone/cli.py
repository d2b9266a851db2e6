"""The command line: one function a command; the work is elsewhere and imported when it is needed.

Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage or unreadable input, 3 a fault of our own; as the
shell gives them, 130 interrupted (Ctrl-C) and 141 the reader of the output left (`| head`).
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from geophone import __version__
from geophone.attack_command import attack as attack_command
from geophone.baseline_command import baseline
from geophone.diff_command import policy_diff
from geophone.evidence_command import evidence
from geophone.given_commands import indicators, rules
from geophone.given_options import given_options
from geophone.guarded import PATH, engine_limits, user_errors
from geophone.importing.commands import approvals as approvals_command
from geophone.importing.commands import evidence_options
from geophone.importing.commands import gateway as gateway_command
from geophone.incidents_command import incidents
from geophone.lab.commands import lab
from geophone.live.commands import run as run_command
from geophone.policy_learn_command import learn as learn_policy_command
from geophone.sla_command import sla as sla_command

if TYPE_CHECKING:
    pass

_SEVERITIES = ("info", "low", "medium", "high", "critical")
_STORE_HELP = "Where to keep the results: a folder (embedded ClickHouse) or the http(s) URL of a server."

_INTERRUPTED: Final = 128 + signal.SIGINT
_READER_GONE: Final = 128 + signal.SIGPIPE


def _use_threads(threads: int) -> None:
    """Bound the worker threads of the column engine; must run before it is imported."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))


def run() -> None:
    """The entry point: a fault of our own keeps its traceback and never looks like findings."""
    try:
        main(prog_name="geophone")
    except Exception:
        traceback.print_exc()
        click.echo(
            "geophone: this is a fault of Geophone's own; SECURITY.md says where to report it", err=True
        )
        sys.exit(3)


class _Commands(click.Group):
    """Click's own exit code for an interrupt and for a reader that left is 1, which stands for findings here."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(_INTERRUPTED)
        except BrokenPipeError:
            # What is still buffered has no reader: the null device takes it, so that closing does not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(_READER_GONE)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GEOPHONE"}
)
@click.version_option(__version__, prog_name="geophone")
def main() -> None:
    """Geophone: a passive monitor for industrial networks.

    It reads captures, holds the traffic against the site's policy and measures latency and loss per zone.
    Every option can also be set in the environment, for example GEOPHONE_REPLAY_POLICY.
    """


@main.command()
@click.argument("captures", nargs=-1, required=True, type=PATH, metavar="CAPTURE...")
@click.option("--policy", "policy_file", required=True, type=PATH, help="The site's policy, a YAML file.")
@evidence_options
@click.option(
    "--baseline",
    "baseline_file",
    type=PATH,
    metavar="FILE",
    help="Compare with this baseline; else with the store's, else with what the policy lets be learned first.",
)
@click.option("--store", "store_url", default=None, metavar="DIR|URL", help=_STORE_HELP)
@click.option(
    "--findings", "findings_file", type=PATH, help="Write the findings here, as canonical JSON lines."
)
@click.option(
    "--fail-on",
    type=click.Choice((*_SEVERITIES, "never")),
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
    if fail_on != "never" and any(f.severity > _SEVERITIES.index(fail_on) for f in counted):
        sys.exit(1)


@main.command()
@click.option(
    "-i", "--interface", required=True, metavar="IF", help="The interface, of a SPAN port or a tap."
)
@click.option(
    "--fanout",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Rings that share the flows, each decoded by a core of its own.",
)
@click.option(
    "--ring-mib",
    type=click.IntRange(1, 4096),
    default=64,
    show_default=True,
    help="Memory of each ring: how long decoding may stand still.",
)
@click.option(
    "--snaplen",
    type=click.IntRange(64, 262_144),
    default=262_144,
    show_default=True,
    help="Bytes kept of a frame.",
)
@click.option(
    "--promiscuous/--no-promiscuous",
    default=True,
    show_default=True,
    help="Take frames for other addresses too.",
)
@click.option("--out", type=PATH, metavar="DIR", help="Write decoded rows here, a folder a table.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("jsonl", "csv", "parquet", "arrow")),
    default="parquet",
    show_default=True,
    help="Format of the rows in --out.",
)
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds of rows in a file of --out.",
)
@click.option("--write", type=PATH, metavar="DIR", help="Record the newest packets here, as pcapng files.")
@click.option(
    "--write-mib",
    type=click.IntRange(1, 65536),
    default=256,
    show_default=True,
    help="Largest size of a recorded file.",
)
@click.option(
    "--write-files",
    type=click.IntRange(2, 100_000),
    default=16,
    show_default=True,
    help="Recorded files kept; the oldest is removed.",
)
@click.option("--user", help="Whom root becomes once the interface is open (nobody).")
@click.option(
    "--duration", "duration_s", type=click.FloatRange(min=0.1), metavar="SECONDS", help="End after so long."
)
@click.option("--wait", is_flag=True, help="Wait for an interface that is down or away, instead of ending.")
@click.option(
    "--allow-address", is_flag=True, help="Listen although this machine has an address on the interface."
)
@click.option("--json", "as_json", is_flag=True, help="The closing summary as JSON.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def sensor(
    interface: str,
    fanout: int,
    ring_mib: int,
    snaplen: int,
    promiscuous: bool,
    out: Path | None,
    file_format: str,
    every_s: float,
    write: Path | None,
    write_mib: int,
    write_files: int,
    user: str | None,
    duration_s: float | None,
    wait: bool,
    allow_address: bool,
    as_json: bool,
    limits: tuple[str, ...],
) -> None:
    """Listen to a network interface: decode what it sees, record it, write its rows; send nothing.

    Ends with Ctrl-C or SIGTERM, with every row written; exits with 2 where the interface was lost.
    """
    with user_errors():
        from sensors import privileges

        # Before anything that starts threads is imported: a thread has what its maker had.
        privileges.renounce()
        from geophone.listening import SensorOptions, listen
        from sensors.live import Listening, Recording

        recording = Recording(folder=write, file_mib=write_mib, files=write_files) if write else None
        listening = Listening(
            interface=interface,
            rings=fanout,
            ring_mib=ring_mib,
            snaplen=snaplen,
            promiscuous=promiscuous,
            wait=wait,
            recording=recording,
        )
        options = SensorOptions(
            listening=listening,
            out=out,
            file_format=file_format,
            every_s=every_s,
            user=user,
            duration_s=duration_s,
            allow_address=allow_address,
            as_json=as_json,
            limits=engine_limits(limits),
        )
        sys.exit(listen(options))


@main.command()
@click.argument("capture", required=False, type=PATH)
@click.option("--table", "table_name", help="The table to write.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(("jsonl", "csv", "parquet", "arrow")),
    default="jsonl",
    show_default=True,
    help="Output format.",
)
@click.option("-o", "--output", type=PATH, help="Output file; standard output when left out.")
@click.option("--follow", is_flag=True, help="Wait for more at the capture's end, until Ctrl-C.")
@click.option("--list", "list_only", is_flag=True, help="Name the tables and their columns.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def decode(
    capture: Path | None,
    table_name: str | None,
    file_format: str,
    output: Path | None,
    follow: bool,
    list_only: bool,
    limits: tuple[str, ...],
) -> None:
    """Write the decoded rows of one table, without policy or store.

    CAPTURE is a file, a folder of them, or - for standard input.
    """
    if list_only:
        from geophone.decoding import print_tables

        print_tables()
        return
    if capture is None or table_name is None:
        raise click.UsageError("name a CAPTURE and a --table; `geophone decode --list` names the tables")
    with user_errors():
        from geophone.decoding import decode_to

        sys.exit(decode_to(capture, table_name, file_format, output, engine_limits(limits), follow=follow))


@main.command()
@click.argument("capture", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def stats(capture: Path, as_json: bool) -> None:
    """Count packets, flows, messages, retransmissions and round-trip times of a capture."""
    with user_errors():
        from geophone.decoding import print_stats

        print_stats(capture, as_json)


@main.command()
@click.argument("capture", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="All figures and differences as JSON.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="NAME",
    help="Compare only this one: frame, tcp, udp, modbus, … May be repeated.",
)
@click.option(
    "--limit-differences",
    "differences_kept",
    type=click.IntRange(0, 100_000),
    default=20,
    show_default=True,
    help="Differences listed of each field; all are counted.",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def crosscheck(
    capture: Path, as_json: bool, protocols: tuple[str, ...], differences_kept: int, limits: tuple[str, ...]
) -> None:
    """Compare with Wireshark, field by field: how far it agrees, and each difference with its frame.

    Needs tshark. It dissects the capture in a process of its own, without names and without the network; still it
    is a large program for hostile bytes: run it where captures are studied, not on a sensor.

    Exits with 0 when every field agrees (99.9 % of its values are equal, or each difference has its reason), with 1
    when one does not or when there was nothing to compare, with 2 when the capture or tshark cannot be used.
    """
    with user_errors():
        from geophone.crosschecking import check_capture

        agrees = check_capture(
            capture,
            protocols,
            differences_kept=differences_kept,
            as_json=as_json,
            limits=engine_limits(limits),
        )
    if not agrees:
        sys.exit(1)


@main.command()
@click.argument("capture", type=PATH)
@click.option("--server", metavar="IP", help="Only this server.")
@click.option("--unit", type=click.IntRange(0, 255), help="Only this unit.")
@click.option(
    "--table", type=click.Choice(("coils", "discrete", "input", "holding")), help="Only this table."
)
@click.option("--changed", is_flag=True, help="Only what changed while the capture ran.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def registers(
    capture: Path,
    server: str | None,
    unit: int | None,
    table: str | None,
    changed: bool,
    as_json: bool,
    as_csv: bool,
    limits: tuple[str, ...],
) -> None:
    """List the registers and coils of a capture's Modbus servers: last value, who wrote it, when."""
    with user_errors():
        from geophone.listing import form_of
        from geophone.registers import print_registers

        print_registers(
            capture,
            server=server,
            unit=unit,
            table=table,
            changed=changed,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
        )


@main.command()
@click.argument("capture", type=PATH)
@click.option(
    "--policy", "policy_file", type=PATH, help="The site's policy: says in which zone each device is."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON, with who told it.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def inventory(
    capture: Path, policy_file: Path | None, as_json: bool, as_csv: bool, limits: tuple[str, ...]
) -> None:
    """List the devices of a capture: addresses, names, makers, models, roles, services."""
    with user_errors():
        from geophone.inventory import print_inventory
        from geophone.listing import form_of

        print_inventory(
            capture,
            policy_file=policy_file,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
        )


@main.command()
@click.argument("capture", type=PATH)
@click.option(
    "--policy", "policy_file", type=PATH, required=True, help="The site's policy, with its remote access."
)
@evidence_options
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Everything, as CSV.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=N", help="An engine limit; see `geophone limits`."
)
def access(
    capture: Path,
    policy_file: Path,
    approvals_file: Path | None,
    gateway_file: Path | None,
    as_json: bool,
    as_csv: bool,
    limits: tuple[str, ...],
) -> None:
    """List the sessions of remote access in a capture, like a visitors' book: who came, by what way, when."""
    with user_errors():
        from geophone.listing import form_of
        from geophone.visiting import print_visits

        print_visits(
            capture,
            policy_file,
            form=form_of(as_json=as_json, as_csv=as_csv),
            limits=engine_limits(limits),
            approvals=approvals_file,
            gateway_log=gateway_file,
        )


@main.command()
def limits() -> None:
    """List the engine's limits: name, default, meaning."""
    from geophone.decoding import print_limits

    print_limits()


@main.command()
@click.option(
    "--store",
    "store_url",
    default=None,
    metavar="DIR",
    help="Keep the demo's store here instead of a temporary folder.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8642, show_default=True, help="First port to try."
)
@click.option("--no-serve", is_flag=True, help="Replay and print, but serve no pages.")
def demo(store_url: str | None, port: int, no_serve: bool) -> None:
    """Replay the sample captures and serve the pages on 127.0.0.1."""
    with user_errors():
        from geophone.demo import run_demo

        run_demo(store_url, port, serve=not no_serve)


@main.command()
@click.option("--store", "store_url", required=True, metavar="DIR|URL", help=_STORE_HELP)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8642, show_default=True, help="First port to try."
)
@click.option(
    "--operator",
    default="local",
    show_default=True,
    help="The name that decisions on alerts are signed with.",
)
def serve(store_url: str, port: int, operator: str) -> None:
    """Serve the API and the pages of a store on 127.0.0.1."""
    with user_errors():
        from geophone.serving import serve_store

        serve_store(store_url, port, operator)


@main.group()
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


policy.add_command(learn_policy_command)


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


policy.add_command(policy_diff)
main.add_command(approvals_command)
main.add_command(attack_command)
main.add_command(gateway_command)
main.add_command(evidence)
main.add_command(incidents)
main.add_command(baseline)
main.add_command(lab)
main.add_command(run_command)
main.add_command(sla_command)
main.add_command(rules)
main.add_command(indicators)
