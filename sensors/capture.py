"""What to listen to: a capture file in; its identity, or an error that says how to mend it, out."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NoReturn

#: First bytes of files that people take for captures, what they are, and how to make one of them.
_OTHER_FORMATS: Final = (
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it first: zstd -d FILE"),
    (b"\xfd7zXZ\x00", "xz-compressed", "decompress it first: xz -d FILE"),
    (b"BZh", "bzip2-compressed", "decompress it first: bzip2 -d FILE"),
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip FILE"),
    (b"snoop\x00\x00\x00", "a snoop capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
    (b"RTSS", "a Network Monitor capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
    (b"GMBU", "a Network Monitor capture", "convert it first: editcap -F pcap FILE OUT.pcap"),
)

_READABLE: Final = "give a pcap or pcapng capture, plain or gzip-compressed"

#: Names of captures listed when a directory was given: enough to recognise it, short enough for one line.
_EXAMPLES: Final = 3

_CAPTURE_SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".dmp", ".pcap.gz", ".pcapng.gz", ".dmp.gz")


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
    """A capture file that exists, can be opened and is not empty; its packets are not read yet."""

    path: Path
    #: The file's name without its folder: what findings and pages show.
    name: str
    size_bytes: int
    #: When the file was last written, ns since the epoch: a capture that is still being written is noticed.
    modified_ns: int

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, lower-case hex: the capture's identity whatever its name.

        Read in chunks at the first use (the GIL is released meanwhile), remembered afterwards.
        Raises CaptureUnreadable when the file went away.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            _refuse(self.path, error)

    def refuse_changed(self) -> None:
        """Raise CaptureUnreadable where the file was written since it was opened: its hash is not its packets'."""
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


def open_capture(path: str | os.PathLike[str]) -> Capture:
    """The capture at `path`; raises CaptureUnreadable for what can be known without decoding it."""
    file = Path(path)
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise CaptureUnreadable(file, "is a directory", _captures_in(file))
        if not stat.S_ISREG(status.st_mode):
            raise CaptureUnreadable(
                file, "is not a regular file", "save the packets to a file first: tcpdump -w"
            )
        with file.open("rb") as opened:
            start = opened.read(8)
    except OSError as error:
        _refuse(file, error)
    if not start:
        raise CaptureUnreadable(file, "is empty, without even a capture header", "capture it again")
    for magic, what, repair in _OTHER_FORMATS:
        if start.startswith(magic):
            raise CaptureUnreadable(file, f"is {what}", repair.replace("FILE", str(file)), byte_offset=0)
    return Capture(file, file.name, status.st_size, status.st_mtime_ns)


def _captures_in(directory: Path) -> str:
    """The repair for a directory: name the captures in it."""
    names = sorted(entry.name for entry in directory.iterdir() if entry.name.endswith(_CAPTURE_SUFFIXES))
    if not names:
        return "name the capture files in it"
    shown = ", ".join(names[:_EXAMPLES]) + (", …" if len(names) > _EXAMPLES else "")
    return f"name the capture files in it: {shown}"


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
