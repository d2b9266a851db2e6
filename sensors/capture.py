"""What to listen to: a file, a folder or standard input in; a capture, or an error that says how to mend it, out."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn

#: First bytes of files that people take for captures, what they are, and how to make one of them.
_OTHER_FORMATS: Final = (
    (b"\xfd7zXZ\x00", "xz-compressed", "decompress it first: xz -d FILE"),
    (b"BZh", "bzip2-compressed", "decompress it first: bzip2 -d FILE"),
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip FILE"),
    (b"snoop\x00\x00\x00", "a snoop capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
    (b"RTSS", "a Network Monitor capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
    (b"GMBU", "a Network Monitor capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
)

_READABLE: Final = "give a pcap or pcapng capture, plain or compressed with gzip or zstd"

#: What stands for standard input where a capture is named.
STANDARD_INPUT: Final = Path("-")

#: The files of a folder that are taken for captures; tools that rotate add a number after it (`.pcap1`).
_CAPTURE_SUFFIXES: Final = tuple(
    name + packed for name in (".pcap", ".pcapng", ".cap", ".dmp") for packed in ("", ".gz", ".zst")
)


class CaptureUnreadable(Exception):
    """The user named something that is no readable capture. Its text is one line, made for the user."""

    def __init__(self, file: Path, problem: str, repair: str, *, byte_offset: int | None = None) -> None:
        where = f"{file}" if byte_offset is None else f"{file}: byte {byte_offset}"
        super().__init__(f"{where}: {problem}; {repair}")
        self.file = file
        self.problem = problem
        self.repair = repair
        #: Where in the file (in the unpacked bytes of a gzip file) reading stopped; None: before any byte.
        self.byte_offset = byte_offset

    @classmethod
    def from_native(cls, file: Path, problem: str, byte_offset: int | None) -> CaptureUnreadable:
        """The engine's refusal of a file's bytes, with a repair."""
        return cls(file, problem, _READABLE, byte_offset=byte_offset)


@dataclass(frozen=True)
class Capture:
    """Captured packets that exist and can be opened; they are not read yet.

    A file; or a folder, whose files are read one after the other as if they were one; or standard input, which can
    be read once and has no size and no identity (see `spooled`).
    """

    path: Path
    #: The file's name without its folder: what findings and pages show.
    name: str
    size_bytes: int
    #: When the file was last written, ns since the epoch: a capture that is still being written is noticed.
    modified_ns: int
    #: The files of a folder, in the order of their first frames; empty for a file.
    parts: tuple[Capture, ...] = ()

    @property
    def is_stream(self) -> bool:
        """Whether this is standard input."""
        return self.path == STANDARD_INPUT

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, lower-case hex: the capture's identity whatever its name.

        Of a folder: of its files' SHA-256, one a line (with its newline), in the order in which they are read.
        Read in chunks at the first use (the GIL is released meanwhile), remembered afterwards.
        Raises CaptureUnreadable when the file went away.
        """
        if self.parts:
            return hashlib.sha256("".join(f"{part.sha256}\n" for part in self.parts).encode()).hexdigest()
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            _refuse(self.path, error)

    def refuse_changed(self) -> None:
        """Raise CaptureUnreadable where the file was written since it was opened: its hash is not its packets'."""
        if self.parts:
            for part in self.parts:
                part.refuse_changed()
            return
        try:
            status = self.path.stat()
        except OSError as error:
            _refuse(self.path, error)
        if (status.st_size, status.st_mtime_ns) != (self.size_bytes, self.modified_ns):
            raise CaptureUnreadable(
                self.path,
                "changed while it was being read",
                "wait until it is written, or replay a copy of it",
            )


def open_capture(path: str | os.PathLike[str], *, follow: bool = False) -> Capture:
    """The capture at `path` (a file, a folder, `-`); raises CaptureUnreadable for what is known before decoding.

    With `follow`, a file may still be empty and a folder without a capture.
    """
    file = Path(path)
    if file == STANDARD_INPUT:
        return Capture(file, "standard input", 0, 0)
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            return _open_folder(file, follow=follow)
        if not stat.S_ISREG(status.st_mode):
            raise CaptureUnreadable(
                file,
                "is not a regular file",
                "save the packets to a file first (tcpdump -w), or pipe them to -",
            )
        with file.open("rb") as opened:
            start = opened.read(8)
    except OSError as error:
        _refuse(file, error)
    if not start and not follow:
        raise CaptureUnreadable(file, "is empty, without even a capture header", "capture it again")
    for magic, what, repair in _OTHER_FORMATS:
        if start.startswith(magic):
            raise CaptureUnreadable(file, f"is {what}", repair.replace("FILE", str(file)), byte_offset=0)
    return Capture(file, file.name, status.st_size, status.st_mtime_ns)


def single_file(capture: Capture) -> Capture:
    """The same capture where it is one file that can be read twice; raises CaptureUnreadable for any other."""
    if capture.is_stream:
        raise CaptureUnreadable(capture.path, "is standard input, which is read once", "name a file")
    if capture.path.is_dir():
        raise CaptureUnreadable(capture.path, "is a folder", "name one of the captures in it")
    return capture


@contextmanager
def spooled(capture: Capture) -> Iterator[Capture]:
    """The same capture as a file that can be read twice: its identity has to be known before its packets are stored.

    Standard input is copied to a temporary file, which is removed at the end; anything else is given as it is.
    Raises CaptureUnreadable.
    """
    if not capture.is_stream:
        yield capture
        return
    with ExitStack() as stack:
        try:
            spool = stack.enter_context(tempfile.NamedTemporaryFile(prefix="geophone-", suffix=".capture"))
            shutil.copyfileobj(sys.stdin.buffer, spool, 1 << 20)
            spool.flush()
        except OSError as error:
            raise CaptureUnreadable(
                capture.path,
                f"standard input cannot be kept in {tempfile.gettempdir()}: {error.strerror or error}",
                "name a folder with more room in TMPDIR",
            ) from error
        if not spool.tell():
            raise CaptureUnreadable(capture.path, "standard input is empty", "pipe a capture to it")
        file = open_capture(spool.name)
        yield Capture(file.path, capture.name, file.size_bytes, file.modified_ns)


def captures_in(folder: Path) -> list[Path]:
    """The files of a folder that are taken for captures, by name. Raises OSError."""
    return sorted(entry for entry in folder.iterdir() if _is_capture_name(entry.name) and entry.is_file())


def in_time_order(files: Iterable[Path], *, follow: bool = False) -> list[Path]:
    """Captures by the time of their first frame, then by name; those without a frame go first.

    With `follow`, a file that has no frame yet goes last: it is being written. Raises CaptureUnreadable.
    """
    from sensors import _native

    def first_ns(file: Path) -> float:
        try:
            first = _native.first_frame_ns(file)
        except _native.CaptureError as error:
            if follow:
                return float("inf")
            problem, byte_offset = error.args
            raise CaptureUnreadable.from_native(file, str(problem), byte_offset) from error
        except OSError as error:
            _refuse(file, error)
        if first is None:
            return float("inf") if follow else float("-inf")
        return first

    return sorted(files, key=lambda file: (first_ns(file), file.name))


def _is_capture_name(name: str) -> bool:
    return not name.startswith(".") and name.rstrip("0123456789").endswith(_CAPTURE_SUFFIXES)


def _open_folder(folder: Path, *, follow: bool) -> Capture:
    """All captures of a folder as one."""
    files = captures_in(folder)
    if not files and not follow:
        raise CaptureUnreadable(
            folder,
            "is a folder without a capture",
            f"captures are known by their names: *{', *'.join(_CAPTURE_SUFFIXES[::3])}, packed too",
        )
    parts = tuple(open_capture(file, follow=follow) for file in in_time_order(files, follow=follow))
    name = folder.name or folder.resolve().name
    size_bytes = sum(part.size_bytes for part in parts)
    return Capture(folder, name, size_bytes, max((part.modified_ns for part in parts), default=0), parts)


def _refuse(file: Path, error: OSError) -> NoReturn:
    """Turn the operating system's refusal into the user's error."""
    match error:
        case FileNotFoundError():
            problem, repair = "no such file", "check the name and the folder"
        case NotADirectoryError():
            problem, repair = "no such file: a part of its path is a file, not a folder", "check the path"
        case PermissionError():
            problem, repair = (
                "may not be read by this user",
                "change its permissions or run as a user who may",
            )
        case _:
            problem, repair = (
                f"cannot be read: {error.strerror or error}",
                "check the disk or the network drive",
            )
    raise CaptureUnreadable(file, problem, repair) from error
