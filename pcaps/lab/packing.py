"""Captures packed with zstd, as `geophone replay` and Wireshark read them without unpacking."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

SUFFIX: Final = ".zst"
#: High enough to find a day's repeats, low enough that its window (4 MiB) is unpacked by anyone.
_LEVEL: Final = 12
_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def pack(data: bytes) -> bytes:
    """The bytes as one zstd frame; another version of the compressor may write another one."""
    return bytes(pa.Codec("zstd", compression_level=_LEVEL).compress(data, asbytes=True))


def unpacked(data: bytes) -> bytes:
    """What was packed; bytes that are not packed are given as they are.

    Raises OSError where a packed file is damaged.
    """
    if not data.startswith(_MAGIC):
        return data
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())
