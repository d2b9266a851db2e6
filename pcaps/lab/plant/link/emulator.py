"""The link emulator: frames in at one TAP, out at the other, late or never, each written down.

`python -m pcaps.lab.plant.link.emulator ROUTER-NAMESPACE SWITCH-NAMESPACE ORDER-FILE`; SIGHUP reads the order file
again (`settings.write_order`), SIGTERM ends it. In user space because many kernels have no netem. A select loop: the
timers of asyncio wake up on whole milliseconds.
"""

from __future__ import annotations

import ctypes
import heapq
import json
import os
import select
import signal
import sys
import time
from dataclasses import asdict, astuple
from pathlib import Path
from typing import IO, Final, NamedTuple

from pcaps.lab.plant.layout import LINK
from pcaps.lab.plant.link.draws import Draws
from pcaps.lab.plant.link.frames import Identity, identify, is_arp
from pcaps.lab.plant.link.settings import TO_CONTROL, TO_ROUTER, LinkSettings, read_order
from pcaps.lab.plant.link.tap import Tap

# linux/prctl.h
_PR_SET_TIMERSLACK: Final = 29

_IDLE_S: Final = 0.2
#: Lines that wait for a quiet moment.
_TRUTH_LINES: Final = 20_000
_MILLISECOND_NS: Final = 1_000_000
READY: Final = "link is up"


class Truth:
    """What happened to each frame, one JSON object a line. Written down when the link has nothing else to do."""

    def __init__(self, path: Path, settings: object, started_ns: int) -> None:
        self._file: IO[str] = path.open("w", buffering=1 << 20)
        self._file.write(json.dumps({"settings": settings, "at_ns": started_ns}) + "\n")
        self._file.flush()
        self._waiting: list[tuple[Frame, int | None, int | None]] = []

    def add(self, frame: Frame, due_ns: int | None, sent_ns: int | None) -> None:
        """One frame; without `sent_ns` it was dropped."""
        self._waiting.append((frame, due_ns, sent_ns))
        if len(self._waiting) >= _TRUTH_LINES:
            self.flush()

    def flush(self) -> None:
        """What was added is in the file."""
        lines, self._waiting = self._waiting, []
        for frame, due_ns, sent_ns in lines:
            line = {
                "way": frame.way,
                "received_ns": frame.received_ns,
                "due_ns": due_ns,
                "sent_ns": sent_ns,
                "bytes": len(frame.data),
                "frame": None if frame.who is None else astuple(frame.who),
            }
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """No more comes."""
        self.flush()
        self._file.close()


class Frame(NamedTuple):
    """A frame that came to one end."""

    way: str
    received_ns: int
    data: bytes
    who: Identity | None


class Emulator:
    """Two TAPs and what lies between them."""

    def __init__(self, router: Tap, switch: Tap, order: Path) -> None:
        self._ends = {router.fd: (router, switch, TO_CONTROL), switch.fd: (switch, router, TO_ROUTER)}
        self._order = order
        self._waiting: list[tuple[int, int, Tap, Frame]] = []
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
                tap, out, way = self._ends[end]
                for received_ns, data in tap.came():
                    self._decide(out, way, received_ns, data)
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
        self._truth = Truth(path, asdict(self._settings), time.time_ns())

    def _patience_s(self) -> float:
        if not self._waiting:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, (self._waiting[0][0] - time.time_ns()) / 1e9))

    def _decide(self, out: Tap, way: str, received_ns: int, data: bytes) -> None:
        """Drop the frame, or let it wait for its time."""
        frame = Frame(way, received_ns, data, identify(data))
        delay_ns = self._fate(frame)
        if delay_ns is None:
            self._write_down(frame, None, None)
            return
        due_ns = max(received_ns + delay_ns, self._last_due_ns[way] + 1)
        self._last_due_ns[way] = due_ns
        self._count += 1
        heapq.heappush(self._waiting, (due_ns, self._count, out, frame))
        if not delay_ns:
            self._send_due()

    def _fate(self, frame: Frame) -> int | None:
        """How long the frame takes, in ns; None: it is lost."""
        rules = self._settings.of(frame.way)
        if frame.who is None:
            lost = rules.loss >= 1 and not is_arp(frame.data)
            return None if lost else int(rules.delay_ms * _MILLISECOND_NS)
        if not rules.loss and not rules.jitter_ms:
            return int(rules.delay_ms * _MILLISECOND_NS)
        chance, shift = self._draws[frame.way].draw(frame.who)
        if chance < rules.loss:
            return None
        late_ms = rules.delay_ms + rules.jitter_ms * (2 * shift - 1)
        return max(0, int(late_ms * _MILLISECOND_NS))

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.time_ns():
            due_ns, _, out, frame = heapq.heappop(self._waiting)
            # Where the far end is down or full the frame is lost, and the truth says so.
            self._write_down(frame, due_ns, out.send(frame.data))

    def _write_down(self, frame: Frame, due_ns: int | None, sent_ns: int | None) -> None:
        if self._truth is not None:
            self._truth.add(frame, due_ns, sent_ns)


def main(router: str, switch: str, order: str) -> None:
    """Be the link until SIGTERM."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        # A link does not wait for a free processor.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError as error:
        sys.stderr.write(
            f"link: no real-time priority ({error.strerror}): frames may be later than ordered\n"
        )
    emulator = Emulator(Tap(router, LINK), Tap(switch, LINK), Path(order))
    signal.signal(signal.SIGHUP, lambda *_: emulator.change())
    signal.signal(signal.SIGTERM, lambda *_: emulator.end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()
    emulator.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
