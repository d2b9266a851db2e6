"""`geophone crosscheck`: a capture in; how far Wireshark agrees with us, for a reader or a program, out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from geophone import __version__
from geophone.errors import UsageProblem
from geophone.report import summary_console
from sensors.crosscheck import PROTOCOL_NAMES, Crosscheck, FieldAgreement, crosscheck
from sensors.engine import EngineLimits


def check_capture(
    capture: Path,
    protocols: Sequence[str],
    *,
    differences_kept: int,
    as_json: bool,
    limits: EngineLimits | None,
) -> bool:
    """Compare a capture with Wireshark and print it; whether the two agree."""
    unknown = [name for name in protocols if name not in PROTOCOL_NAMES]
    if unknown:
        raise UsageProblem(
            f"--protocol {unknown[0]}: it is not compared; compared are {', '.join(PROTOCOL_NAMES)}"
        )
    found = crosscheck(
        capture, only=protocols or PROTOCOL_NAMES, differences_kept=differences_kept, limits=limits
    )
    if as_json:
        print(json.dumps(as_plain(found), indent=1, ensure_ascii=False))  # noqa: T201
    else:
        print_crosscheck(summary_console(), found)
    return found.agrees


def as_plain(found: Crosscheck) -> dict[str, Any]:
    """The answer as JSON holds it."""
    protocols: dict[str, dict[str, Any]] = {}
    for field in found.fields:
        protocols.setdefault(field.protocol, {})[field.field] = {
            "compared": field.compared,
            "equal": field.matched,
            "percent": percent(field),
            "explained": field.explained,
            "unexplained": field.unexplained,
            "agrees": field.agrees,
        }
    return {
        "capture": str(found.capture.path),
        "sha256": found.capture.sha256,
        "geophone": __version__,
        "wireshark": found.wireshark,
        "agrees": found.agrees,
        "notes": list(found.notes),
        "protocols": protocols,
        "differences": [asdict(one) for field in found.fields for one in field.differences],
    }


def percent(field: FieldAgreement) -> float:
    """Equal values among those compared; never rounded up to 100."""
    return int(field.share * 100_000) / 1000


def print_crosscheck(console: Console, found: Crosscheck) -> None:
    """Print the answer for a reader: what differs first, then every field."""
    console.print(Text(found.capture.name, style="bold"), Text(f"beside tshark {found.wireshark}"))
    for note in found.notes:
        console.print(Text(note, style="dim"))
    if not found.fields:
        console.print(Text("○ nothing to compare: neither decoder reads any of it here"))
        return
    _print_differences(console, found)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("Protocol", "Field"):
        table.add_column(name)
    for name in ("Compared", "Equal", "%", "Explained", "Unexplained"):
        table.add_column(name, justify="right")
    protocol = ""
    for field in sorted(found.fields, key=lambda field: PROTOCOL_NAMES.index(field.protocol)):
        style = "" if field.agrees else "bold red"
        table.add_row(
            Text(field.protocol if field.protocol != protocol else ""),
            Text(field.field, style=style),
            f"{field.compared:,}",
            f"{field.matched:,}",
            f"{percent(field):.3f}".rstrip("0").rstrip("."),
            f"{field.explained:,}" if field.explained else "",
            f"{field.unexplained:,}" if field.unexplained else "",
        )
        protocol = field.protocol
    console.print()
    console.print(table)
    console.print()
    if found.agrees:
        console.print(Text("● agreement: every field is equal, or its differences are explained"))
    else:
        names = ", ".join(f"{field.protocol} {field.field}" for field in found.fields if not field.agrees)
        console.print(Text(f"◆ no agreement on {names}", style="bold red"))


def _print_differences(console: Console, found: Crosscheck) -> None:
    listed = [one for field in found.fields for one in field.differences]
    if not listed:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Frame", justify="right")
    for name in ("Field", "Ours", "Wireshark's", "Of", "Who is right, and why"):
        table.add_column(name, overflow="fold")
    for one in sorted(listed, key=lambda one: (bool(one.explanation), one.frame)):
        reason = (
            Text(one.explanation) if one.explanation else Text("◆ not known: look at it", style="bold red")
        )
        table.add_row(
            str(one.frame or ""),
            Text(f"{one.protocol} {one.field}"),
            Text(one.ours),
            Text(one.wireshark),
            Text(one.about),
            reason,
        )
    console.print()
    console.print(table)
    different = sum(field.compared - field.matched for field in found.fields)
    if different > len(listed):
        console.print(
            Text(
                f"{different - len(listed):,} more differences are counted, not listed (--limit-differences)",
                style="dim",
            )
        )
