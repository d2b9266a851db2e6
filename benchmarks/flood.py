"""Puts the frames of a pcap file on an interface at a steady rate, again and again, and says how many there were.

usage: python -m benchmarks.flood INTERFACE CAPTURE RATE SECONDS [NETWORK]

RATE is frames a second; 0 is as fast as it goes. Frames leave by sendmmsg(2), 256 at a call, past the queueing
discipline: a sender that costs the machine little. Each pass has other IPv4 addresses, so that its flows are new ones
and not retransmissions of the last pass; NETWORK (0) is where they start, so that two senders are two plants. Prints
one JSON line: frames, seconds.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

_SOL_PACKET: Final = 263
_PACKET_QDISC_BYPASS: Final = 20

#: Frames of a call: half a millisecond at the promised rate, so that the rate is steady for a ring.
_BATCH: Final = 256

#: struct mmsghdr of a 64-bit machine: eight words, of which the third is the vector and the fourth its length.
_HEADER_WORDS: Final = 8

_ETHERTYPE_AT: Final = 12
_TAG_BYTES: Final = 4
_SOURCE_AT: Final = 14 + 12
_DESTINATION_AT: Final = 14 + 16


class Frames:
    """A capture's frames in memory, with the kernel's descriptions of them."""

    def __init__(self, capture: Path) -> None:
        self._bytes = np.fromfile(capture, dtype=np.uint8)
        starts, lengths = _records(self._bytes)
        self.count = len(starts)
        base = self._bytes.ctypes.data
        self._vectors = np.empty((self.count, 2), dtype=np.uint64)
        self._vectors[:, 0] = starts + base
        self._vectors[:, 1] = lengths
        self._headers = np.zeros((self.count, _HEADER_WORDS), dtype=np.uint64)
        self._headers[:, 2] = np.arange(self.count, dtype=np.uint64) * 16 + self._vectors.ctypes.data
        self._headers[:, 3] = 1
        self.headers = self._headers.ctypes.data
        tagged = self._word(starts + _ETHERTYPE_AT) == 0x8100
        network = starts + np.where(tagged, _TAG_BYTES, 0).astype(np.uint64)
        is_v4 = self._word(network + _ETHERTYPE_AT) == 0x0800
        #: Where the second byte of both addresses is, of every IPv4 frame.
        at = network[is_v4]
        self._addresses = np.concatenate([at + _SOURCE_AT + 1, at + _DESTINATION_AT + 1])

    def _word(self, at: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint16]:
        pairs = np.stack([self._bytes[at], self._bytes[at + np.uint64(1)]], axis=1)
        big_endian: npt.NDArray[np.uint16] = pairs.view(">u2")[:, 0]
        return big_endian

    def next_pass(self, further: int = 1) -> None:
        """Other addresses for the same conversations, so many networks further."""
        self._bytes[self._addresses] += np.uint8(further)


def _records(content: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Start and length of each frame of a little-endian pcap file."""
    whole = content.tobytes()
    starts, lengths, at = [], [], 24
    captured = struct.Struct("<8xI")
    while at + 16 <= len(whole):
        (length,) = captured.unpack_from(whole, at)
        starts.append(at + 16)
        lengths.append(length)
        at += 16 + length
    return np.array(starts, dtype=np.uint64), np.array(lengths, dtype=np.uint64)


def flood(interface: str, frames: Frames, rate: float, seconds: float) -> tuple[int, float]:
    """Send for so long; how many frames in how many seconds that was."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        out.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        number, sent, at = out.fileno(), 0, 0
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < seconds:
            if rate:
                ahead = sent / rate - passed
                if ahead > 0:
                    time.sleep(ahead)
                    continue
            batch = min(_BATCH, frames.count - at)
            done = libc.sendmmsg(number, frames.headers + at * _HEADER_WORDS * 8, batch, 0)
            if done < 0:
                # The far end's queue is full, which veth says at once: the frames were not sent.
                continue
            sent += done
            at += done
            if at == frames.count:
                at = 0
                frames.next_pass()
        return sent, time.perf_counter() - started


def main() -> None:
    """Send as the command line says."""
    interface, capture, rate, seconds, *network = sys.argv[1:]
    frames = Frames(Path(capture))
    frames.next_pass(int(network[0]) if network else 0)
    sent, passed = flood(interface, frames, float(rate), float(seconds))
    print(json.dumps({"frames": sent, "seconds": passed}))


if __name__ == "__main__":
    main()
