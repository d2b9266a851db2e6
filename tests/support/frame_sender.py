"""Puts the frames of a little-endian pcap file on an interface, through a raw socket.

usage: python -m tests.support.frame_sender INTERFACE CAPTURE [--times N] [--pause SECONDS]

Not faster than the other end can be expected to look: after each frame it waits `--pause` (0).
"""

from __future__ import annotations

import argparse
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path


def frames(capture: bytes) -> Iterator[bytes]:
    """The frames of a pcap file, little-endian."""
    assert capture[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"), "not a little-endian pcap file"
    at = 24
    while at < len(capture):
        (length,) = struct.unpack_from("<8xI", capture, at)
        yield capture[at + 16 : at + 16 + length]
        at += 16 + length


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interface")
    parser.add_argument("capture", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.0)
    options = parser.parse_args()
    to_send = list(frames(options.capture.read_bytes()))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((options.interface, 0))
        for _ in range(options.times):
            for frame in to_send:
                out.send(frame)
                if options.pause:
                    time.sleep(options.pause)


if __name__ == "__main__":
    main()
