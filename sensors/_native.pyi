"""The native engine: bytes of a capture in, Arrow record batches out. Private; `sensors.engine` is its face."""

from collections.abc import Mapping
from os import PathLike
from typing import final

import pyarrow as pa

__all__ = ["CaptureError", "Decoder", "DecoderFault", "limits", "schemas"]

class CaptureError(Exception):
    """The input is not a readable capture. `args`: (message, byte_offset or None)."""

class DecoderFault(Exception):
    """The decoder failed on its own account, whatever the capture holds. `args`: (message, frame number)."""

@final
class Decoder:
    """One capture, read once from start to end."""

    def __new__(cls, path: str | PathLike[str], limits: Mapping[str, int]) -> Decoder:
        """Open the capture (pcap, pcapng, gzip of either).

        `limits` sets some of those of `limits()`; the others keep their defaults. Raises CaptureError, OSError,
        and ValueError for a limit that does not exist or is 0.
        """

    def next_batches(self, max_packets: int) -> dict[str, pa.RecordBatch] | None:
        """Decode up to `max_packets` more frames, the GIL released: table name -> rows; None at the end.

        Frames full of messages end a call earlier, so that its rows stay bounded too.
        Rows of one call never name a flow_id whose `flow_starts` row is in a later call.
        Empty tables are left out. A damaged tail ends the capture with an anomaly, never an exception.
        Raises DecoderFault, from then on at every call, where the decoder has a bug.
        """

    def position(self) -> tuple[int, int]:
        """(bytes of the file consumed, bytes of the file in all)."""

    def summary(self) -> dict[str, int | str | bool | list[int] | dict[str, int] | None]:
        """What is known of the whole capture so far.

        format ("pcap", "pcapng"), byte_order ("little", "big"), ts_resolution ("us", "ns", …), compressed, snaplen,
        interfaces (declared), interfaces_seen (with a frame; 0 in pcap), frames, link_types, encapsulations and
        protocols (name -> frames), max_vlan_tags, truncated_frames, time_goes_back, malformed_frames,
        unread_frames, fragments, duplicates, dropped_packets, evicted_flows, cut_at_byte (of the decompressed
        capture; None where it is whole), first_ts_ns and last_ts_ns (of the first and the last frame),
        modbus_messages, modbus_frames_multi_pdu, modbus_bad_protocol_id, modbus_skipped_bytes.
        """

def schemas() -> dict[str, pa.Schema]:
    """The Arrow schema of every table the engine builds."""

def limits() -> dict[str, tuple[int, str]]:
    """Every limit that a Decoder takes: name -> (default, meaning)."""
