"""The captures' files: where they are, how they are written, whether they are what their seed makes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pcaps.lab.notes import Notes, Table, moment
from pcaps.lab.packing import SUFFIX, pack, unpacked
from pcaps.lab.scenarios.base import Scenario
from pcaps.lab.synth.pcapng import Frame, Interface, encode

FOLDER: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Files:
    """A capture's two files: the capture itself, and its notes, that state the figures of its very bytes."""

    name: str
    #: The capture's file name; its ending tells whether it is packed.
    capture_name: str
    #: Its bytes before packing.
    plain: bytes
    notes: Notes
    frames: int
    first_ns: int
    last_ns: int

    @property
    def notes_name(self) -> str:
        """The notes' file name."""
        return f"{self.name}.toml"

    def capture(self) -> bytes:
        """The capture's bytes as they are written."""
        return pack(self.plain) if self.capture_name.endswith(SUFFIX) else self.plain

    def noted(self, capture: bytes) -> bytes:
        """The notes, with the figures of the capture as it was written."""
        figures: Table = {
            "file": self.capture_name,
            "sha256": hashlib.sha256(capture).hexdigest(),
            "bytes": len(capture),
            "frames": self.frames,
            "first": moment(self.first_ns),
            "last": moment(self.last_ns),
        }
        return self.notes.toml(figures).encode()

    def write(self, folder: Path) -> int:
        """Write both, the notes last: notes without their capture are never left behind. Gives the capture's size."""
        capture = self.capture()
        (folder / self.capture_name).write_bytes(capture)
        (folder / self.notes_name).write_bytes(self.noted(capture))
        return len(capture)

    def differing(self, folder: Path) -> list[str]:
        """The names of the files that are others in the folder, or missing.

        A packed capture is held against its seed by what is in it: the compressor's next version may write the
        same content in other bytes, and the notes state the bytes that are there.
        """
        try:
            written = (folder / self.capture_name).read_bytes()
            is_the_same = unpacked(written) == self.plain
        except OSError:
            return [self.capture_name, self.notes_name]
        notes = folder / self.notes_name
        is_noted = notes.is_file() and notes.read_bytes() == self.noted(written)
        names = ((self.capture_name, is_the_same), (self.notes_name, is_noted))
        return [name for name, is_right in names if not is_right]


def of(
    name: str,
    frames: Sequence[Frame],
    notes: Notes,
    *,
    site: str,
    comment: str,
    packed: bool = False,
    interfaces: Sequence[Interface] = (),
) -> Files:
    """The files of a capture: `frames` in the order they were captured.

    `interfaces` that they were captured on; where there are none, it is the SPAN port of the site's router.
    """
    span = Interface("span0", f"SPAN of the router between the zones of {site}")
    return Files(
        name=name,
        capture_name=f"{name}.pcapng{SUFFIX if packed else ''}",
        plain=encode(
            frames,
            interfaces or (span,),
            comment=f"Geophone sample '{name}': {comment}",
        ),
        notes=notes,
        frames=len(frames),
        first_ns=frames[0].ts_ns,
        last_ns=frames[-1].ts_ns,
    )


def made(scenario: Scenario) -> Files:
    """The files that the scenario's seed makes."""
    story = scenario.make(scenario.seed)
    return of(
        scenario.name,
        story.frames,
        story.notes,
        site=scenario.site,
        comment=f"synthetic, seed {scenario.seed}",
        packed=scenario.packed,
        interfaces=story.interfaces,
    )
