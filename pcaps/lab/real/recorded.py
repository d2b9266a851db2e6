"""What tcpdump wrote in, frames out: nothing of the recording machine goes further."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from pcaps.lab.synth.pcapng import LINKTYPE_ETHERNET, Frame

_NANOSECOND_MAGIC: Final = 0xA1B23C4D
_HEADER: Final = struct.Struct("=IHHiIII")
_RECORD: Final = struct.Struct("=IIII")


def frames(path: Path) -> list[Frame]:
    """The frames of a pcap file with nanosecond stamps, in this machine's byte order."""
    data = path.read_bytes()
    magic, *_, link = _HEADER.unpack_from(data)
    if magic != _NANOSECOND_MAGIC or link != LINKTYPE_ETHERNET:
        raise ValueError(
            f"{path}: not an Ethernet capture with nanosecond stamps; was it tcpdump's own file?"
        )
    found: list[Frame] = []
    offset = _HEADER.size
    while offset < len(data):
        seconds, nanoseconds, captured, _ = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        found.append(Frame(seconds * 1_000_000_000 + nanoseconds, data[offset : offset + captured]))
        offset += captured
    return found
