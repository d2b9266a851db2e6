"""A network interface in; record batches, counts and a summary out, until somebody stops it."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sensors import _native
from sensors.engine import Batches, EngineLimits, Summary
from sensors.interface import InterfaceUnusable
from sensors.renumbering import NUMBERED_ANEW, NumberedAnew, Renumbering

#: Frames of one call: it ends about once a second anyway, with the rows of that second.
_MAX_PACKETS: Final = 1 << 20

#: Batches that wait for their reader, of all rings. When it falls behind, the rings fill and the kernel counts drops.
_WAITING: Final = 16

#: Rings of one interface: each has an equal part of the numbers of flows.
RINGS_MOST: Final = 16

#: Bytes of a frame that are kept: all of the longest one.
SNAPLEN_MOST: Final = 262_144

_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A bounded series of pcapng files of the newest traffic."""

    folder: Path
    file_mib: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """How an interface is listened to."""

    interface: str
    rings: int = 1
    ring_mib: int = 64
    snaplen: int = SNAPLEN_MOST
    promiscuous: bool = True
    #: Wait for an interface that is down or away, instead of ending.
    wait: bool = False
    recording: Recording | None = None


class DecoderFailed(Exception):
    """The native engine failed on its own account: a bug of ours, whatever the network holds."""


class Listener:
    """Rings of one interface, each decoded by a thread of its own: an iterator of Batches.

    Opening it needs CAP_NET_RAW; nothing after it does: drop privileges between `Listener(...)` and `start`. Rows of
    different rings come in no order; each row's flow_id has its `flow_starts` row before it. Where the numbers of
    flows are used up (after 4,294,967,295 of them), all rows of what was numbered come, then NUMBERED_ANEW. It ends
    after `stop`, or when the interface is lost (`lost` says why), with all rows that had come.
    """

    def __init__(self, how: Listening, limits: EngineLimits | None = None) -> None:
        self._how = how
        self._limits = asdict(limits or EngineLimits())
        self._rings = _open(how)
        self._decoders: list[_native.Decoder] = []
        self._threads: list[threading.Thread] = []
        self._ready: queue.Queue[Batches | NumberedAnew | BaseException | None] = queue.Queue(_WAITING)
        self._renumbering = Renumbering(len(self._rings), lambda: self._ready.put(NUMBERED_ANEW))

    def start(self) -> None:
        """From now on packets are taken and decoded."""
        for ring in self._rings:
            ring.start()
        for number, ring in enumerate(self._rings):
            decoder = _native.Decoder.of_ring(ring, self._limits)
            self._decoders.append(decoder)
            # A daemon, so that a reader who forgot to stop it cannot keep the process alive.
            thread = threading.Thread(
                target=self._decode, args=(decoder,), name=f"geophone-ring-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Take no more packets; what has come is decoded. May be called from any thread and from a signal handler."""
        for ring in self._rings:
            ring.stop()

    def batches(self, at_least_every_s: float) -> Iterator[Batches | NumberedAnew]:
        """Rows as they come; empty Batches when none came for so long. Raises DecoderFailed."""
        running = len(self._threads)
        while running:
            try:
                got = self._ready.get(timeout=at_least_every_s)
            except queue.Empty:
                yield {}
                continue
            if got is None:
                running -= 1
            elif isinstance(got, BaseException):
                self.stop()
                raise got
            else:
                yield got
        for thread in self._threads:
            thread.join()

    def counters(self) -> dict[str, int]:
        """What all rings have counted: the names are the engine's (`sensors/_native.pyi`).

        `numbered_anew` beside them: how often flows were.
        """
        total: Counter[str] = Counter()
        for ring in self._rings:
            total.update(ring.counters())
        return {**total, "numbered_anew": self._renumbering.times}

    def trouble(self) -> str:
        """What goes wrong at the moment, in words; empty: nothing."""
        return next((text for ring in self._rings if (text := ring.trouble())), "")

    def lost(self) -> str:
        """Why listening ended though nobody asked for it, in words; empty: it did not."""
        return next((text for ring in self._rings if (text := ring.lost())), "")

    def summaries(self) -> list[Summary]:
        """Of each ring what its decoder knows as a whole. Only once it has ended."""
        return [decoder.summary() for decoder in self._decoders]

    def _decode(self, decoder: _native.Decoder) -> None:
        """One ring's thread."""
        try:
            while (batches := decoder.next_batches(_MAX_PACKETS)) is not None:
                if batches:
                    self._ready.put(batches)
                if decoder.used_up():
                    self._renumbering.ask()
                if self._renumbering.is_due:
                    self._ready.put(decoder.begin_anew())
                    self._renumbering.meet()
        except _native.DecoderFault as error:
            self._ready.put(DecoderFailed(f"{self._how.interface}: {error.args[0]}"))
        except BaseException as error:
            self._ready.put(error)
        else:
            self._renumbering.leave()
            self._ready.put(None)


def _open(how: Listening) -> list[_native.Ring]:
    kept = how.recording
    record = None if kept is None else (kept.folder, kept.file_mib * _MIB, kept.files)
    try:
        return _native.Ring.open(
            how.interface,
            rings=how.rings,
            ring_bytes=how.ring_mib * _MIB,
            snaplen=how.snaplen,
            promiscuous=how.promiscuous,
            wait=how.wait,
            record=record,
        )
    except PermissionError as error:
        raise InterfaceUnusable(
            how.interface,
            "may not be listened to by this user",
            "run it as root (it drops its privileges at once), or give it CAP_NET_RAW",
        ) from error
    except ValueError as error:
        raise InterfaceUnusable(
            how.interface, str(error), "Ethernet, loopback and raw IP interfaces are"
        ) from error
    except OSError as error:
        raise InterfaceUnusable(
            how.interface, f"cannot be listened to: {error.strerror or error}", "check the interface"
        ) from error
