"""The native engine: bytes of a capture in, Arrow record batches out. Private; `sensors.engine` is its face."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import final

import pyarrow as pa

__all__ = ["CaptureError", "Decoder", "DecoderFault", "Ring", "first_frame_ns", "limits", "schemas"]

class CaptureError(Exception):
    """The input is not a readable capture. `args`: (message, byte_offset or None)."""

class DecoderFault(Exception):
    """The decoder failed on its own account, whatever the capture holds. `args`: (message, frame number)."""

@final
class Decoder:
    """One capture, a series of them or an interface, read once from start to end."""

    def __new__(cls, path: str | PathLike[str], limits: Mapping[str, int]) -> Decoder:
        """Open the capture (pcap, pcapng, gzip or zstd of either).

        `limits` sets some of those of `limits()`; the others keep their defaults. Raises CaptureError, OSError,
        and ValueError for a limit that does not exist or is 0.
        """

    @staticmethod
    def of_files(paths: Sequence[str | PathLike[str]], follow: bool, limits: Mapping[str, int]) -> Decoder:
        """Read captures one after the other, as if they were one; raises as the constructor, for the first of them.

        What is wrong with a later one becomes an anomaly that names it. With `follow`, the end of the last one is
        waited at: `next_batches` comes back, `idle` tells, and the end comes after `stop`.
        """

    @staticmethod
    def of_stdin(limits: Mapping[str, int]) -> Decoder:
        """Read a capture from standard input. Raises as the constructor."""

    @staticmethod
    def of_ring(ring: Ring, limits: Mapping[str, int]) -> Decoder:
        """Listen to an interface's ring, which no other decoder has. Raises OSError, ValueError.

        `next_batches` comes back about once a second, with empty rows where nothing came.
        """

    def add(self, path: str | PathLike[str]) -> bool:
        """One capture more, read after all others; False where this decoder reads no files."""

    def stop(self) -> None:
        """Wait for nothing more: what has come is decoded, then it ends."""

    def idle(self) -> bool:
        """Whether the last call stopped because there was nothing more for now."""

    def next_batches(self, max_packets: int) -> dict[str, pa.RecordBatch] | None:
        """Decode up to `max_packets` more frames, the GIL released: table name -> rows; None at the end.

        Frames full of messages end a call earlier, so that its rows stay bounded too.
        Rows of one call never name a flow_id whose `flow_starts` row is in a later call.
        Empty tables are left out. A damaged tail ends the capture with an anomaly, never an exception.
        Raises DecoderFault, from then on at every call, where the decoder has a bug, and ValueError once the numbers
        of flows are used up.
        """

    def used_up(self) -> bool:
        """Whether the numbers of flows are used up (limit `flow_numbers`): `next_batches` gives nothing more.

        It is true early enough that every flow at hand has a number.
        """

    def begin_anew(self) -> dict[str, pa.RecordBatch]:
        """End all that is open and number flows anew: the rows of what ended. Raises DecoderFault.

        Rows that `next_batches` gives afterwards name other flows than rows before, by the same numbers. Frames are
        numbered on.
        """

    def position(self) -> tuple[int, int]:
        """(bytes of the file consumed, bytes of the file in all)."""

    def summary(self) -> dict[str, int | str | bool | list[int] | dict[str, int] | None]:
        """What is known of the whole capture so far.

        format ("pcap", "pcapng"), byte_order ("little", "big"), ts_resolution ("us", "ns", …), compressed, snaplen,
        interfaces (declared), interfaces_seen (with a frame; 0 in pcap), frames, link_types, encapsulations and
        protocols (name -> frames), max_vlan_tags, truncated_frames, time_goes_back, malformed_frames,
        unread_frames, fragments, incomplete_packets, duplicates, dropped_packets, evicted_flows, cut_at_byte (of
        the decompressed capture; None where it is whole), first_ts_ns and last_ts_ns (of the first and the last frame),
        modbus_messages, modbus_frames_multi_pdu, modbus_bad_protocol_id, modbus_skipped_bytes,
        opcua_messages, opcua_frames_multi_pdu, opcua_skipped_bytes, opcua_given_up,
        captures (file -> number of its first frame; of very many files the newest).
        """

@final
class Ring:
    """One ring of a network interface: all of its packets, or its share of the flows. Nothing is ever sent."""

    @staticmethod
    def open(
        interface: str,
        *,
        rings: int,
        ring_bytes: int,
        snaplen: int,
        promiscuous: bool,
        wait: bool,
        record: tuple[str | PathLike[str], int, int] | None,
    ) -> list[Ring]:
        """Open an interface: `rings` rings of `ring_bytes` each that share its flows. No packet comes before `start`.

        `record` is (folder, bytes of a file, files): what comes is recorded within these bounds. With `wait`, an
        interface that is down or away is waited for. Raises OSError, and ValueError where its frames are not read.
        """

    def start(self) -> None:
        """From now on packets come. Raises OSError, and ValueError once a decoder has the ring."""

    def stop(self) -> None:
        """Ask it to end: what has come is still given. May be called from any thread."""

    def counters(self) -> dict[str, int]:
        """Counts since the start, up to date within a second.

        packets, wire_bytes, dropped_packets (by the kernel, the ring was full), full_ring (times), own_packets (sent
        by this machine, left out), hardware_timestamps, mistrusted_timestamps, bad_blocks, interface_down (1: it is
        waited for), recorded_packets, unrecorded_packets, recorded_files, removed_files.
        """

    def trouble(self) -> str:
        """What goes wrong at the moment (a recording that cannot be written), in words; empty: nothing."""

    def lost(self) -> str:
        """Why listening ended though nobody asked for it, in words; empty: it did not."""

    @property
    def link_type(self) -> int:
        """LINKTYPE_ of its frames."""

def first_frame_ns(path: str | PathLike[str]) -> int | None:
    """The time of a capture's first frame, ns since the epoch; None without a frame. Raises as Decoder."""

def schemas() -> dict[str, pa.Schema]:
    """The Arrow schema of every table the engine builds."""

def limits() -> dict[str, tuple[int, str]]:
    """Every limit that a Decoder takes: name -> (default, meaning)."""
