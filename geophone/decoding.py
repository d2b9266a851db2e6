"""`geophone decode`, `stats` and `limits`: a capture in, rows or figures out; no policy, no store."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from geophone.errors import UsageProblem
from geophone.stopping import asked_to_stop
from sensors.capture import STANDARD_INPUT, open_capture
from sensors.decode import UnknownTable, find_table, list_tables, write_file, write_stdout
from sensors.engine import DecodeRun, EngineLimits, decode
from sensors.following import Following
from sensors.stats import stats


def print_tables() -> None:
    """Print every table with its columns."""
    console = Console(soft_wrap=True)
    for table in list_tables():
        console.print(Text(table.name, style="bold"), Text(table.doc))
        for column in table.columns:
            unit = f" [{column.unit}]" if column.unit else ""
            console.print(Text(f"    {column.name:<28}{column.type + unit:<26}{column.doc}"))
        console.print()


def decode_to(
    capture: Path,
    table_name: str,
    file_format: str,
    output: Path | None,
    limits: EngineLimits | None,
    *,
    follow: bool = False,
) -> int:
    """Write the rows of one table to a file or to standard output; the exit status."""
    try:
        find_table(table_name)
    except UnknownTable as problem:
        raise UsageProblem(str(problem)) from problem
    if output is None and file_format in ("parquet", "arrow") and sys.stdout.isatty():
        raise UsageProblem(f"--format {file_format} is binary: name a file with -o, or pipe it")
    if follow and capture == STANDARD_INPUT:
        raise UsageProblem("--follow goes without -: standard input is read until its writer ends it")
    opened = open_capture(capture, follow=follow)
    following = Following(opened) if follow else None
    with decode(opened, limits=limits, following=following) as run, ExitStack() as stack:
        if following is not None:
            stack.enter_context(asked_to_stop(following.stop))
        return _write(run, table_name, file_format, output)


def _write(run: DecodeRun, table_name: str, file_format: str, output: Path | None) -> int:
    if output is None:
        return write_stdout(run, table_name, file_format)
    try:
        write_file(run, table_name, file_format, output)
    except OSError as problem:
        raise UsageProblem(f"-o {output}: {problem.strerror or problem}") from problem
    return 0


def print_stats(capture: Path, as_json: bool) -> None:
    """Print the capture's figures, as JSON or for people."""
    figures = stats(open_capture(capture))
    if as_json:
        print(json.dumps(figures, indent=1, ensure_ascii=False))  # noqa: T201
        return
    console = Console(soft_wrap=True)
    for key, value in figures.items():
        if key == "flow_list":
            continue
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
        console.print(f"{key}: {shown}", highlight=False, markup=False)


def print_limits() -> None:
    """Print every engine limit with its default and meaning."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("Limit", "Default", "Meaning"):
        table.add_column(name)
    defaults = asdict(EngineLimits())
    for name, meaning in EngineLimits.meanings().items():
        table.add_row(name, f"{defaults[name]:,}", meaning)
    Console().print(table)
