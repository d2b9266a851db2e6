"""The captures' files: where they are, how they are written, whether they are what their seed makes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pcaps.lab.notes import Notes, Table, moment
from pcaps.lab.scenarios.base import Scenario
from pcaps.lab.synth.pcapng import encode

FOLDER: Final = Path(__file__).resolve().parent.parent


def contents(scenario: Scenario) -> dict[str, bytes]:
    """File name -> bytes: the capture and its notes."""
    made = scenario.make(scenario.seed)
    capture = encode(
        made.frames,
        interface="span0",
        description="SPAN of the router between the zones of Mine A",
        comment=f"Geophone sample '{scenario.name}': synthetic, seed {scenario.seed}",
    )
    notes = noted(
        scenario.name, made.notes, capture, len(made.frames), made.frames[0].ts_ns, made.frames[-1].ts_ns
    )
    return {f"{scenario.name}.pcapng": capture, f"{scenario.name}.toml": notes}


def noted(name: str, notes: Notes, capture: bytes, frames: int, first_ns: int, last_ns: int) -> bytes:
    """The notes' file, with the figures of the capture's bytes."""
    figures: Table = {
        "file": f"{name}.pcapng",
        "sha256": hashlib.sha256(capture).hexdigest(),
        "bytes": len(capture),
        "frames": frames,
        "first": moment(first_ns),
        "last": moment(last_ns),
    }
    return notes.toml(figures).encode()


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write the files, the notes last: notes without their capture are never left behind."""
    for name in sorted(files, key=lambda name: name.endswith(".toml")):
        (folder / name).write_bytes(files[name])


def differing(files: dict[str, bytes], folder: Path) -> list[str]:
    """The names whose bytes in the folder are others, or missing."""
    return [
        name
        for name, data in files.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != data
    ]
