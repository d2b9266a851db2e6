"""Frames in; agreement on what the capture holds as a whole, minute by minute and interface by interface, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sensors.crosscheck.agreement import Agreement
from sensors.crosscheck.frames import Frame

_MINUTE_NS: Final = 60 * 10**9

#: Wireshark's name in `frame.protocols` -> ours in the summary's `protocols`.
_PROTOCOLS: Final = {
    "eth": "eth",
    "arp": "arp",
    "ip": "ip",
    "ipv6": "ipv6",
    "tcp": "tcp",
    "udp": "udp",
    "icmp": "icmp",
    "icmpv6": "icmpv6",
}


class Totals:
    """What is counted over all frames."""

    def __init__(self) -> None:
        self._minutes: dict[tuple[int, int], Counter[str]] = {}
        self._protocols: Counter[str] = Counter()
        self._most_tags = 0
        self._cut = 0
        self._back_in_time = 0
        self._frames = 0
        self._last_ns: int | None = None

    def add(self, frame: Frame) -> None:
        """Count one frame."""
        self._frames += 1
        minute = self._minutes.setdefault((frame.interface, frame.ns // _MINUTE_NS * _MINUTE_NS), Counter())
        minute["packets"] += 1
        minute["wire_bytes"] += frame.wire_bytes
        minute["captured_bytes"] += frame.captured_bytes
        minute["cut_packets"] += frame.captured_bytes < frame.wire_bytes
        self._protocols.update(set(frame.protocols))
        self._most_tags = max(self._most_tags, len(frame.vlans))
        self._cut += frame.captured_bytes < frame.wire_bytes
        self._back_in_time += self._last_ns is not None and frame.ns < self._last_ns
        self._last_ns = frame.ns

    def compare(
        self, coverage: Iterable[Mapping[str, Any]], summary: Mapping[str, Any], agreement: Agreement
    ) -> None:
        """Lay the counts beside our coverage and summary."""
        ours = {(row["interface_id"], row["minute"]): row for row in coverage}
        for key in sorted(ours.keys() | self._minutes.keys()):
            row, minute = ours.get(key, {}), self._minutes.get(key, Counter())
            for name in ("packets", "wire_bytes", "captured_bytes", "cut_packets"):
                agreement.compare(
                    "frame",
                    f"{name.replace('_', ' ')} of a minute",
                    row.get(name, 0),
                    minute[name],
                    frame=0,
                    about=f"interface {key[0]}, minute {key[1] // _MINUTE_NS}",
                )
        for name, one, other in (
            ("frames", summary["frames"], self._frames),
            ("frames cut short", summary["truncated_frames"], self._cut),
            ("frames back in time", summary["time_goes_back"], self._back_in_time),
            ("VLAN tags at most", summary["max_vlan_tags"], self._most_tags),
        ):
            agreement.compare("frame", name, one, other, frame=0, about="the whole capture")
        for theirs, own in _PROTOCOLS.items():
            one, other = summary["protocols"].get(own, 0), self._protocols[theirs]
            if one or other:
                agreement.compare("frame", f"frames of {own}", one, other, frame=0, about="the whole capture")
