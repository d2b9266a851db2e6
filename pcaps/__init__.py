"""Sample captures, each with a .toml that tells its story: its origin, its truth, the findings it must give.

`samples()` lists them, `sample(name)` takes one. The files lie beside this module and ship with it;
`pcaps.lab` made them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

FOLDER: Final = Path(__file__).resolve().parent
POLICIES: Final = FOLDER / "policies"


class SampleError(Exception):
    """There is no such sample, or its notes cannot be read; the message names the file and the repair."""


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that the capture must give under its policy; it gives these and no other."""

    kind: str
    src_ip: str
    dst_ip: str
    dst_port: int
    conduit: str
    service: str
    severity: int
    count: int
    #: "exactly" for operations; "at least" for conversations, that count once a minute.
    count_is: Literal["exactly", "at least"]
    because: str


@dataclass(frozen=True, slots=True)
class Planted:
    """Something done on purpose that a check or detection is there to see, whether or not this version has it.

    The truth of the model or of the stations, never of our decoder: who did what to whom, how often, when.
    """

    #: Id of the policy check or detection: SEG-02, RA-01, M3, O5, Q2, G1.
    id: str
    #: Empty where nothing on the wire says who it is: an address claimed by somebody without one.
    src_ip: str
    #: Empty where there is no one counterpart: a scan, a broadcast.
    dst_ip: str
    #: The application protocol by the policy's name for it; empty where there is none.
    service: str
    #: The first and the last of it, as the tap saw them.
    first: datetime
    last: datetime
    #: How many operations, sessions or packets of it there were: `because` says which.
    count: int
    because: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One capture and what is known of it."""

    name: str
    title: str
    story: str
    capture: Path
    policy: Path
    licence: str
    sha256: str
    frames: int
    #: How it was made: kind ("synthetic" or "real stack"), how, command, tools, tap; seed where there is one.
    origin: Mapping[str, Any]
    #: Injected or reported figures, from the model or the stations and never from our own decoder.
    truth: Mapping[str, Any]
    #: What was done on purpose, told by who did it; more than `expected` where checks are still to come.
    planted: tuple[Planted, ...]
    expected: tuple[ExpectedFinding, ...]
    #: Name of its benign twin: as close as can be, without what was planted. Not every twin is kept here;
    #: `python -m pcaps.lab make NAME` makes one that is not. Empty: it has none.
    twin: str
    #: Name of the capture whose benign twin this is; empty: of none.
    twin_of: str
    #: Name of the capture that taught the baseline which this one is held against; empty: none.
    baseline: str
    #: Whether `geophone demo` shows it.
    demo: bool


def sample(name: str) -> Sample:
    """The sample of that name. Raises SampleError where there is none."""
    notes = FOLDER / f"{name}.toml"
    if notes.parent != FOLDER or not notes.is_file():
        raise SampleError(f"no sample {name!r}; there are: {', '.join(names())}")
    return _read(notes)


def samples() -> tuple[Sample, ...]:
    """All samples, by name."""
    return tuple(_read(FOLDER / f"{name}.toml") for name in names())


def names() -> tuple[str, ...]:
    """The samples' names."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def _read(notes: Path) -> Sample:
    return _read_once(notes, notes.stat().st_mtime_ns)


@cache
def _read_once(notes: Path, changed_ns: int) -> Sample:  # changed notes are read again
    try:
        said = tomllib.loads(notes.read_text(encoding="utf-8"))
        return Sample(
            name=notes.stem,
            title=said["title"],
            story=said["story"].strip(),
            capture=FOLDER / said["capture"]["file"],
            policy=FOLDER / said["policy"],
            licence=said["licence"],
            sha256=said["capture"]["sha256"],
            frames=said["capture"]["frames"],
            origin=MappingProxyType(said["origin"]),
            truth=MappingProxyType(said.get("truth", {})),
            planted=tuple(Planted(**planted) for planted in said.get("planted", ())),
            expected=tuple(ExpectedFinding(**finding) for finding in said.get("expected", ())),
            twin=said.get("twin", ""),
            twin_of=said.get("twin_of", ""),
            baseline=said.get("baseline", ""),
            demo=said.get("demo", False),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SampleError(
            f"{notes}: not the notes of a sample ({error}); remake it with {_REMAKE}"
        ) from error


_REMAKE: Final = "python -m pcaps.lab make"
