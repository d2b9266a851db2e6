"""The link emulator: frames in at one TAP, out at the other, late or never, each written down.

`python -m pcaps.lab.plant.link.emulator ROUTER-NAMESPACE SWITCH-NAMESPACE ORDER-FILE`; SIGHUP reads the order file
again (`settings.write_order`), SIGTERM ends it. In user space because many kernels have no netem. A select loop: the
timers of asyncio wake up on whole milliseconds.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import select
import signal
import struct
import sys
import time
from pathlib import Path
from typing import IO, Final

from pcaps.lab.plant.layout import LINK
from pcaps.lab.plant.link.draws import Draws
from pcaps.lab.plant.link.frames import identify, is_arp
from pcaps.lab.plant.link.settings import TO_CONTROL, TO_ROUTER, LinkSettings, read_order

# linux/if_tun.h, linux/sched.h, linux/prctl.h
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_TIMERSLACK: Final = 29

#: Longer than any frame.
_READ_BYTES: Final = 70_000
#: Frames taken from one end before the other end and what is due have their turn.
_READ_AT_ONCE: Final = 32
_IDLE_S: Final = 0.2
_MILLISECOND_NS: Final = 1_000_000
READY: Final = "link is up"


def open_tap(namespace: str, name: str) -> int:
    """A TAP device in a namespace; this thread is in that namespace afterwards. It lives as long as the descriptor."""
    enter(namespace)
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return tap


def enter(namespace: str) -> None:
    """Move this thread to a network namespace. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)
    finally:
        os.close(handle)


class Truth:
    """What happened to each frame, one JSON object a line."""

    def __init__(self, path: Path, settings: object, started_ns: int) -> None:
        self._file: IO[str] = path.open("w", buffering=1 << 20)
        self._file.write(json.dumps({"settings": settings, "at_ns": started_ns}) + "\n")
        self._file.flush()

    def frame(
        self, direction: str, data: bytes, received_ns: int, due_ns: int | None, sent_ns: int | None
    ) -> None:
        """One frame; without `sent_ns` it was dropped."""
        who = identify(data)
        line = {
            "way": direction,
            "received_ns": received_ns,
            "due_ns": due_ns,
            "sent_ns": sent_ns,
            "bytes": len(data),
            "frame": None
            if who is None
            else [
                *(who.proto, who.src, who.sport, who.dst, who.dport),
                *(who.ip_id, who.seq, who.ack, who.flags, who.payload),
            ],
        }
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def flush(self) -> None:
        """What was written is in the file."""
        self._file.flush()

    def close(self) -> None:
        """No more comes."""
        self._file.close()


class Emulator:
    """Two TAPs and what lies between them."""

    def __init__(self, router_tap: int, switch_tap: int, order: Path) -> None:
        self._ends = {router_tap: (switch_tap, TO_CONTROL), switch_tap: (router_tap, TO_ROUTER)}
        self._order = order
        self._waiting: list[tuple[int, int, int, bytes, str, int]] = []
        self._count = 0
        self._changed = True
        self._ended = False
        self._settings = LinkSettings()
        self._truth: Truth | None = None
        self._draws: dict[str, Draws] = {}
        self._last_due_ns = {TO_CONTROL: 0, TO_ROUTER: 0}

    def change(self) -> None:
        """Read the order file before the next frame. For signal handlers."""
        self._changed = True

    def end(self) -> None:
        """Come to an end. For signal handlers."""
        self._ended = True

    def run(self) -> None:
        """Until `end`."""
        while not self._ended:
            if self._changed:
                self._take_order()
            ready, _, _ = select.select(list(self._ends), [], [], self._patience_s())
            for end in ready:
                self._read(end)
            self._send_due()
            if not ready and self._truth is not None:
                self._truth.flush()
        if self._truth is not None:
            self._truth.close()

    def _take_order(self) -> None:
        self._changed = False
        self._settings, path = read_order(self._order)
        if self._truth is not None:
            self._truth.close()
        self._draws = {way: Draws(self._settings.seed, way) for way in (TO_CONTROL, TO_ROUTER)}
        given = json.loads(self._order.read_text())["settings"]
        self._truth = Truth(path, given, time.time_ns())

    def _patience_s(self) -> float:
        if not self._waiting:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, (self._waiting[0][0] - time.time_ns()) / 1e9))

    def _read(self, end: int) -> None:
        out, way = self._ends[end]
        for _ in range(_READ_AT_ONCE):
            try:
                data = os.read(end, _READ_BYTES)
            except BlockingIOError:
                return
            received_ns = time.time_ns()
            delay_ns = self._fate(way, data)
            if delay_ns is None:
                self._write_down(way, data, received_ns, None, None)
                continue
            due_ns = max(received_ns + delay_ns, self._last_due_ns[way] + 1)
            self._last_due_ns[way] = due_ns
            self._count += 1
            heapq.heappush(self._waiting, (due_ns, self._count, out, data, way, received_ns))

    def _fate(self, way: str, data: bytes) -> int | None:
        """How long the frame takes, in ns; None: it is lost."""
        rules = self._settings.of(way)
        who = identify(data)
        if who is None:
            lost = rules.loss >= 1 and not is_arp(data)
            return None if lost else int(rules.delay_ms * _MILLISECOND_NS)
        chance, shift = self._draws[way].draw(who)
        if chance < rules.loss:
            return None
        late_ms = rules.delay_ms + rules.jitter_ms * (2 * shift - 1)
        return max(0, int(late_ms * _MILLISECOND_NS))

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.time_ns():
            due_ns, _, out, data, way, received_ns = heapq.heappop(self._waiting)
            try:
                os.write(out, data)
            except OSError:
                # The far end is down or full: the frame is lost, and the truth says so.
                self._write_down(way, data, received_ns, due_ns, None)
                continue
            self._write_down(way, data, received_ns, due_ns, time.time_ns())

    def _write_down(
        self, way: str, data: bytes, received_ns: int, due_ns: int | None, sent_ns: int | None
    ) -> None:
        if self._truth is not None:
            self._truth.frame(way, data, received_ns, due_ns, sent_ns)


def main(router: str, switch: str, order: str) -> None:
    """Be the link until SIGTERM."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        # A link does not wait for a free processor.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError as error:
        sys.stderr.write(f"link: no real-time priority ({error.strerror}): frames may be later than ordered\n")
    emulator = Emulator(open_tap(router, LINK), open_tap(switch, LINK), Path(order))
    signal.signal(signal.SIGHUP, lambda *_: emulator.change())
    signal.signal(signal.SIGTERM, lambda *_: emulator.end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()
    emulator.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
