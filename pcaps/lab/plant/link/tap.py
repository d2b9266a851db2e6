"""One end of the link: a TAP device, and when the kernel handed each frame to it.

A TAP tells no times, and a busy machine lets its reader wait. A packet socket on the same device does: it hears every
frame that goes out through it, stamped before it waits for anybody, in the same order.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

# linux/if_tun.h, linux/sched.h, linux/if_packet.h, linux/if_ether.h, asm-generic/socket.h, linux/filter.h
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_CLONE_NEWNET: Final = 0x40000000
_ALL_PROTOCOLS: Final = 3
_OUTGOING: Final = 4
_SO_TIMESTAMPNS: Final = 35
_SO_ATTACH_FILTER: Final = 26
_PACKET_TYPE: Final = 0xFFFFF000 + 4
_TIMESPEC: Final = struct.Struct("=qq")

#: Longer than any frame.
_READ_BYTES: Final = 70_000
#: As much of a frame as tells it from its neighbours.
_HEAD_BYTES: Final = 64
#: Frames taken from one end before the other end and what is due have their turn.
_AT_ONCE: Final = 32
_STAMPS_BYTES: Final = 4 << 20


class Tap:
    """A TAP device in a namespace; it lives as long as this object's descriptors. Raises OSError."""

    def __init__(self, namespace: str, name: str) -> None:
        """Make it; this thread is in that namespace afterwards."""
        _enter(namespace)
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
        self._clock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._clock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _STAMPS_BYTES)
        self._clock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        _only_outgoing(self._clock)
        self._clock.setblocking(False)
        self._clock.bind((name, _ALL_PROTOCOLS))
        self._stamps: deque[tuple[bytes, int]] = deque()

    def came(self) -> list[tuple[int, bytes]]:
        """Frames that wait, at most some: when each came, in ns since the epoch, and its bytes."""
        frames = list(self._read())
        self._stamps.extend(self._heard())
        return [(self._stamp(data, read_ns), data) for read_ns, data in frames]

    def send(self, data: bytes) -> int | None:
        """Let a frame out at this end; when, in ns since the epoch. None where nobody takes it."""
        # Before the call: it returns when the receiver, and its answer, have been dealt with.
        now_ns = time.time_ns()
        try:
            os.write(self.fd, data)
        except OSError:
            return None
        return now_ns

    def _read(self) -> Iterator[tuple[int, bytes]]:
        for _ in range(_AT_ONCE):
            try:
                data = os.read(self.fd, _READ_BYTES)
            except BlockingIOError:
                return
            yield time.time_ns(), data

    def _heard(self) -> Iterator[tuple[bytes, int]]:
        while True:
            try:
                head, more, _, _ = self._clock.recvmsg(_HEAD_BYTES, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:
                    continue  # told once, after the device was down; it goes on when it is up
                raise
            for _, kind, value in more:
                if kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = _TIMESPEC.unpack(value)
                    yield head, seconds * 1_000_000_000 + nanoseconds

    def _stamp(self, data: bytes, read_ns: int) -> int:
        """When the frame came; when it was read, where the kernel's stamp of it was lost."""
        head = data[:_HEAD_BYTES]
        for number, (heard, stamp_ns) in enumerate(self._stamps):
            if heard == head:
                for _ in range(number + 1):
                    self._stamps.popleft()
                return stamp_ns
        return read_ns


def _enter(namespace: str) -> None:
    """Move this thread to a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)
    finally:
        os.close(handle)


def _only_outgoing(clock: socket.socket) -> None:
    """A socket filter (bpf(4)): load the packet's type; keep a head of what goes out, nothing else."""
    code = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (0x30, 0, 0, _PACKET_TYPE),  # ldb type
            (0x15, 0, 1, _OUTGOING),  # jeq outgoing, else skip one
            (0x06, 0, 0, _HEAD_BYTES),  # ret
            (0x06, 0, 0, 0),
        )
    )
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(code) // 8, ctypes.addressof(held))
    clock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
