"""Captures to measure with: made from a seed by a generator beside the repository, or given by the user."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
#: Outside of the repository: no generator of large captures is part of the product.
GENERATOR: Final = ROOT.parent / "shared" / "tools" / "make_captures.py"
CACHE: Final = ROOT / ".cache" / "benchmarks"

_FILE_HEADER_BYTES: Final = 24
_RECORD_HEADER: Final = {
    b"\xd4\xc3\xb2\xa1": struct.Struct("<IIII"),
    b"\x4d\x3c\xb2\xa1": struct.Struct("<IIII"),
}


class NoCaptureError(Exception):
    """There is nothing to measure with; the message says what to do."""


def generated(scale: float) -> list[Path]:
    """Three seeded captures of about `scale` million packets (min64: twice that), made once and kept."""
    folder = CACHE / f"scale-{scale:g}"
    done = folder / "done"
    if not done.exists():
        if not GENERATOR.exists():
            raise NoCaptureError(f"{GENERATOR}: no such file; give a folder of pcap files with --captures")
        folder.mkdir(parents=True, exist_ok=True)
        print(f"making captures of scale {scale:g} in {folder.relative_to(ROOT)}", flush=True)
        command = [sys.executable, str(GENERATOR), str(folder), str(scale)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        done.touch()
    return given(folder)


def given(folder: Path) -> list[Path]:
    """The pcap files of a folder, by name."""
    captures = sorted(folder.glob("*.pcap"))
    if not captures:
        raise NoCaptureError(f"{folder}: no *.pcap file in it")
    return captures


def cut(capture: Path, packets: int, target: Path) -> int:
    """Copy the first `packets` packets of a little-endian pcap file; how many there were."""
    with capture.open("rb") as source, target.open("wb") as out:
        head = source.read(_FILE_HEADER_BYTES)
        record = _RECORD_HEADER.get(head[:4])
        if record is None:
            raise NoCaptureError(f"{capture}: not a little-endian pcap file; convert it: editcap -F pcap")
        out.write(head)
        copied = 0
        while copied < packets:
            header = source.read(record.size)
            if len(header) < record.size:
                break
            out.write(header)
            out.write(source.read(record.unpack(header)[2]))
            copied += 1
        return copied
