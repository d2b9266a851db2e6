"""Who is measured: each peer's command, what keeps it from running here, and how its output is read."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost

_GEOPHONE: Final = Path(sys.executable).parent / "geophone"
_TSHARK_FIELDS: Final = (
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "mbtcp.trans_id",
    "mbtcp.unit_id",
    "modbus.func_code",
)


def _as_measured(cost: Cost, _output: str) -> Cost:
    return cost


def _own_clock(cost: Cost, output: str) -> Cost:
    """The times a script took of its own work, without the interpreter's start; memory from outside."""
    own = json.loads(output)
    return replace(cost, wall_s=own["wall_s"], cpu_s=own["cpu_s"])


@dataclass(frozen=True, slots=True)
class Peer:
    """One way of reading a capture."""

    name: str
    work: str
    #: (capture, scratch folder) -> the command.
    command: Callable[[Path, Path], list[str]]
    #: Why it cannot run here; empty where it can.
    missing: Callable[[], str]
    #: (what the kernel measured, standard output) -> what counts.
    cost: Callable[[Cost, str], Cost] = _as_measured
    #: Slow peers get the first packets only; their rates are per packet. 0: the whole capture.
    packet_limit: int = 0
    version: Callable[[], str] = lambda: ""


def _first_line(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).strip().partition("\n")[0]


def _needs(program: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(program) else f"{program} is not installed"


def _needs_engine() -> str:
    return "" if importlib.util.find_spec("sensors._native") else "the native engine is not built: make build"


def _needs_command() -> str:
    return _needs_engine() or ("" if _GEOPHONE.exists() else "geophone is not installed: make build")


def _needs_library(name: str) -> Callable[[], str]:
    return lambda: "" if importlib.util.find_spec(name) else f"{name} is not installed: make build"


def _script(name: str) -> Callable[[Path, Path], list[str]]:
    return lambda capture, _scratch: [sys.executable, "-m", f"benchmarks.{name}", str(capture)]


def _library(name: str, work: str, packet_limit: int) -> Peer:
    """A Python library that reads captures, alone in its process."""
    return Peer(
        name,
        work,
        lambda capture, _scratch: [sys.executable, "-m", "benchmarks.python_peers", name, str(capture)],
        _needs_library(name),
        cost=_own_clock,
        packet_limit=packet_limit,
        version=lambda: f"{name} {importlib.metadata.version(name)}",
    )


def _decode(file_format: str) -> Callable[[Path, Path], list[str]]:
    def command(capture: Path, scratch: Path) -> list[str]:
        target = scratch / f"modbus.{file_format}"
        return [
            str(_GEOPHONE),
            "decode",
            str(capture),
            "--table",
            "modbus",
            "--format",
            file_format,
            "-o",
            str(target),
        ]

    return command


def _tshark(capture: Path, _scratch: Path) -> list[str]:
    fields = [part for name in _TSHARK_FIELDS for part in ("-e", name)]
    return ["tshark", "-n", "-r", str(capture), "-Y", "modbus", "-T", "fields", *fields]


#: The first is what the others are divided by.
PEERS: Final = (
    Peer(
        "geophone engine",
        "every table built in memory; without the interpreter's start",
        _script("engine_alone"),
        _needs_engine,
        cost=_own_clock,
        version=lambda: _first_line(str(_GEOPHONE), "--version"),
    ),
    Peer(
        "geophone decode, arrow",
        "the whole command: every table built, Modbus transactions written as Arrow",
        _decode("arrow"),
        _needs_command,
    ),
    Peer(
        "geophone decode, csv",
        "the whole command: every table built, Modbus transactions written as text",
        _decode("csv"),
        _needs_command,
    ),
    Peer(
        "tcpdump --count",
        "the floor: records counted, no byte looked at",
        lambda capture, _scratch: ["tcpdump", "-n", "--count", "-r", str(capture)],
        _needs("tcpdump"),
        version=lambda: _first_line("tcpdump", "--version"),
    ),
    Peer(
        "tshark -Y modbus -T fields",
        "the whole command: seven fields of Modbus messages as text",
        _tshark,
        _needs("tshark"),
        packet_limit=200_000,
        version=lambda: _first_line("tshark", "--version"),
    ),
    _library(
        "nfstream", "flow counters, one meter, no guessing of applications; without the import", 300_000
    ),
    _library("dpkt", "Ethernet, IP, TCP and UDP of every packet, nothing kept; without the import", 100_000),
    _library("scapy", "every packet dissected, nothing kept; without the import", 10_000),
    _library("pyshark", "every packet dissected by tshark and made an object; without the import", 2_000),
)
