"""A capture in; record batches, progress and a summary out. The face of the native engine."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import IntEnum
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from sensors import _native
from sensors.capture import Capture, CaptureUnreadable, open_capture
from sensors.following import Following

#: Table name -> rows, of the tables in `sensors.records`; a table without rows is left out.
Batches = dict[str, pa.RecordBatch]

#: What the engine knows of a whole capture: see `DecodeRun.summary`.
Summary = dict[str, int | str | bool | list[int] | dict[str, int] | None]

#: Frames decoded at a call: enough that what judging and storing cost by the batch vanishes beside what they cost by
#: the row, few enough that progress moves. Memory is bounded by rows: the engine gives 262,144 a call at most.
MAX_PACKETS: Final = 262_144

#: Batches decoded ahead of the reader: one being handed over, one ready. More would only hold memory.
_AHEAD_DEPTH: Final = 2


_LIMITS: Final = _native.limits()


class UserNames(IntEnum):
    """What becomes of MQTT user names: `EngineLimits.mqtt_user_names`."""

    KEEP = 1
    #: The start of their SHA-256: told apart, not read; whoever guesses a name can check the guess.
    HASH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """The bounds of one decoder, so that hostile bytes cannot take all memory. All are at least 1.

    Defaults and meanings are the engine's own (`sensors/native/src/limits.rs`); `meanings` gives them as text.
    """

    flow_limit: int = _LIMITS["flow_limit"][0]
    flows_per_source: int = _LIMITS["flows_per_source"][0]
    flow_numbers: int = _LIMITS["flow_numbers"][0]
    tcp_idle_s: int = _LIMITS["tcp_idle_s"][0]
    tcp_closed_idle_s: int = _LIMITS["tcp_closed_idle_s"][0]
    udp_idle_s: int = _LIMITS["udp_idle_s"][0]
    reassembly_bytes_per_flow: int = _LIMITS["reassembly_bytes_per_flow"][0]
    reassembly_bytes: int = _LIMITS["reassembly_bytes"][0]
    reassembly_pieces: int = _LIMITS["reassembly_pieces"][0]
    networks_per_flow: int = _LIMITS["networks_per_flow"][0]
    fragment_bytes: int = _LIMITS["fragment_bytes"][0]
    fragments_per_packet: int = _LIMITS["fragments_per_packet"][0]
    fragment_timeout_s: int = _LIMITS["fragment_timeout_s"][0]
    pending_limit: int = _LIMITS["pending_limit"][0]
    pending_limit_all: int = _LIMITS["pending_limit_all"][0]
    modbus_pending_s: int = _LIMITS["modbus_pending_s"][0]
    opcua_pending_s: int = _LIMITS["opcua_pending_s"][0]
    opcua_message_bytes: int = _LIMITS["opcua_message_bytes"][0]
    opcua_message_chunks: int = _LIMITS["opcua_message_chunks"][0]
    opcua_bytes_per_flow: int = _LIMITS["opcua_bytes_per_flow"][0]
    opcua_bytes: int = _LIMITS["opcua_bytes"][0]
    mqtt_pending_s: int = _LIMITS["mqtt_pending_s"][0]
    mqtt_packet_bytes: int = _LIMITS["mqtt_packet_bytes"][0]
    mqtt_topic_aliases: int = _LIMITS["mqtt_topic_aliases"][0]
    mqtt_held_bytes: int = _LIMITS["mqtt_held_bytes"][0]
    sparkplug_bytes: int = _LIMITS["sparkplug_bytes"][0]
    mqtt_user_names: int = UserNames.KEEP
    operations_pending: int = _LIMITS["operations_pending"][0]
    operations_pending_all: int = _LIMITS["operations_pending_all"][0]
    operation_pending_s: int = _LIMITS["operation_pending_s"][0]
    operation_bytes: int = _LIMITS["operation_bytes"][0]
    introduction_bytes: int = _LIMITS["introduction_bytes"][0]
    observations: int = _LIMITS["observations"][0]
    neighbours: int = _LIMITS["neighbours"][0]
    anomalies_per_flow_kind: int = _LIMITS["anomalies_per_flow_kind"][0]
    anomalies_per_kind: int = _LIMITS["anomalies_per_kind"][0]

    @staticmethod
    def meanings() -> dict[str, str]:
        """What each limit bounds, by its name, with its unit."""
        return {name: meaning for name, (_, meaning) in _LIMITS.items()}


class EngineFault(Exception):
    """The native engine failed on its own account: a bug of ours, whatever the capture holds."""

    def __init__(self, capture: Capture, detail: str, frame: int) -> None:
        super().__init__(f"{capture.path}: {detail}")
        self.capture = capture
        #: What the engine says of it; names the frame.
        self.detail = detail
        #: The frame that it failed at, from 1.
        self.frame = frame


@dataclass(frozen=True, slots=True)
class Position:
    """How far decoding is, up to the last batches handed out."""

    bytes_read: int
    bytes_total: int

    @property
    def share(self) -> float:
        """The part of the file that is decoded, 0 to 1."""
        return self.bytes_read / self.bytes_total if self.bytes_total else 1.0


@dataclass(frozen=True, slots=True)
class _Step:
    """What one call of the engine gave; `batches` is None at the end of the capture."""

    batches: Batches | None
    position: Position
    summary: Summary


class DecodeRun:
    """One reading of one capture from start to end: an iterator of Batches and a context manager.

    Every row carries a flow_id whose `flow_starts` row comes in the same or in an earlier batch. `position`
    and `summary` speak of the batches handed out so far, alike whether decoding runs ahead or not. Iterating
    raises CaptureUnreadable (the file's fault) or EngineFault (ours). Leave the `with` block, or call `close`,
    to stop early; a run that is read to its end, or that fails, closes itself. A run that follows gives empty
    Batches now and then while nothing comes, and ends once its `Following` is told to stop.
    """

    def __init__(
        self,
        capture: Capture,
        decoder: _native.Decoder,
        max_packets: int,
        *,
        ahead: bool,
        following: Following | None = None,
    ) -> None:
        self.capture = capture
        self._decoder = decoder
        self._following = following
        self._max_packets = max_packets
        self._latest = _Step({}, Position(0, capture.size_bytes), decoder.summary())
        self._ended = False
        self._ahead = _Ahead(self._decode_step) if ahead else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batches:
        if self._ended:
            raise StopIteration
        try:
            self._latest = self._ahead.take() if self._ahead else self._decode_step()
        except BaseException:
            self.close()
            raise
        if self._latest.batches is None:
            self.close()
            raise StopIteration
        return self._latest.batches

    def position(self) -> Position:
        """Bytes of the file decoded, and in all."""
        return self._latest.position

    def summary(self) -> Summary:
        """What is known of the capture as a whole: format, link types, frames, encapsulations, flaws.

        Complete once the run is read to its end. The keys are the engine's (`sensors/_native.pyi`).
        """
        return dict(self._latest.summary)

    def close(self) -> None:
        """Stop decoding and wait for the decoding thread; nothing more comes. May be called again."""
        self._ended = True
        if self._ahead:
            self._ahead.stop()

    def _decode_step(self) -> _Step:
        """One call of the engine. Runs on the decoding thread, where there is one, and nowhere else then."""
        try:
            if self._following and self._decoder.idle():
                self._look_again(self._following)
            if self._decoder.used_up():
                raise self._has_too_many_flows()
            batches = self._decoder.next_batches(self._max_packets)
        except _native.CaptureError as error:
            raise _unreadable(self.capture, error) from error
        except _native.DecoderFault as error:
            detail, frame = error.args
            raise EngineFault(self.capture, detail, frame) from error
        bytes_read, bytes_opened = self._decoder.position()
        # Of a folder, the files whose turn has not come count too.
        position = Position(bytes_read, max(bytes_opened, self.capture.size_bytes))
        return _Step(batches, position, self._decoder.summary())

    def _has_too_many_flows(self) -> CaptureUnreadable:
        """Nobody begins anew in the middle of a capture: two of its flows would have one number."""
        frames = self._decoder.summary()["frames"]
        return CaptureUnreadable(
            self.capture.path,
            f"holds more flows than can be numbered: all numbers were used at frame {frames}",
            f"cut it in parts there: editcap -r FILE PART 1-{frames}",
        )

    def _look_again(self, following: Following) -> None:
        """Nothing more had come: the folder's new files, or a wait, or the end."""
        if following.stopped:
            self._decoder.stop()
            return
        news = following.news()
        for file in news:
            self._decoder.add(file)
        if not news:
            following.wait()


class _Ahead:
    """Steps taken on a thread of their own, at most `_AHEAD_DEPTH` ahead of who takes them."""

    def __init__(self, step: Callable[[], _Step]) -> None:
        self._step = step
        self._ready: queue.Queue[_Step | BaseException] = queue.Queue(_AHEAD_DEPTH)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> _Step:
        """The next step, waited for; raises what the step raised. The thread starts at the first call."""
        if self._thread is None:
            # A daemon, so that a reader who forgot to close its run cannot keep the process alive.
            self._thread = threading.Thread(target=self._run, name="geophone-decode", daemon=True)
            self._thread.start()
        step = self._ready.get()
        if isinstance(step, BaseException):
            raise step
        return step

    def stop(self) -> None:
        """End the thread and wait for it: at most one call of the engine long."""
        self._stopping.set()
        # After the flag the thread puts at most one thing more, and the emptied queue has room for it.
        while not self._ready.empty():
            self._ready.get_nowait()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        """The thread: steps in order until the end, a failure or a stop."""
        while not self._stopping.is_set():
            try:
                step = self._step()
            except BaseException as error:
                self._ready.put(error)
                return
            self._ready.put(step)
            if step.batches is None:
                return


def decode(
    path: str | os.PathLike[str] | Capture,
    *,
    limits: EngineLimits | None = None,
    max_packets: int = MAX_PACKETS,
    ahead: bool = False,
    following: Following | None = None,
) -> DecodeRun:
    """Open a capture for decoding, at most `max_packets` frames a batch.

    With `ahead`, decoding runs on its own thread while the reader works on the batch before: the same batches
    in the same order. With `following`, the run waits at the captures' end for more. Raises CaptureUnreadable at
    once for what is no capture.
    """
    capture = path if isinstance(path, Capture) else open_capture(path, follow=following is not None)
    try:
        decoder = _open(capture, asdict(limits or EngineLimits()), follow=following is not None)
    except _native.CaptureError as error:
        raise _unreadable(capture, error) from error
    except OSError as error:
        raise CaptureUnreadable(
            capture.path, f"cannot be read: {error.strerror or error}", "check the disk or the network drive"
        ) from error
    return DecodeRun(capture, decoder, max_packets, ahead=ahead, following=following)


def _open(capture: Capture, limits: dict[str, int], *, follow: bool) -> _native.Decoder:
    """The engine's decoder of a capture; a folder that is followed may have no file yet."""
    if capture.is_stream:
        return _native.Decoder.of_stdin(limits)
    if capture.parts or follow:
        files = [part.path for part in capture.parts] if capture.path.is_dir() else [capture.path]
        return _native.Decoder.of_files(files, follow, limits)
    return _native.Decoder(capture.path, limits)


def _unreadable(capture: Capture, error: _native.CaptureError) -> CaptureUnreadable:
    """The user's error for what the engine refused."""
    problem, byte_offset = error.args
    return CaptureUnreadable.from_native(capture.path, str(problem), byte_offset)
