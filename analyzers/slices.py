"""A finding in; which frames of a capture are its evidence, and what is missing, out.

A frame belongs to it that the finding names, or that lies in its time and carries the addresses of its two ends side
by side, as the header of IPv4 (RFC 791, 3.1) and of IPv6 (RFC 8200, 3) has them: in tunnels and behind tags too, and
in what quotes such a header. Where only one end is known (a scan, a flood), frames with that address are its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from analyzers.findings import Finding

#: Addresses are looked for in this much of a frame: behind any headers there are.
_HEADERS: Final = 256
_SECOND_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Slice:
    """What of a capture belongs to one finding. `look` at each frame in turn; afterwards `missing` says what lacks."""

    finding: Finding
    #: Whether frame numbers are those of the finding: the very capture that was judged.
    same_capture: bool
    #: Seconds before and after the finding that are taken along.
    around_s: int
    taken: int = 0
    _named: set[int] = field(default_factory=set)
    _earliest_ns: int | None = None
    _latest_ns: int | None = None

    @property
    def since_ns(self) -> int:
        """Start, included."""
        return self.finding.evidence.first_ns - self.around_s * _SECOND_NS

    @property
    def until_ns(self) -> int:
        """End, included."""
        return self.finding.evidence.last_ns + self.around_s * _SECOND_NS

    def look(self, number: int, ts_ns: int | None, data: bytes) -> str | None:
        """What is said of the frame (empty: nothing) where it belongs to the finding, else None."""
        if ts_ns is not None:
            self._earliest_ns = ts_ns if self._earliest_ns is None else min(self._earliest_ns, ts_ns)
            self._latest_ns = ts_ns if self._latest_ns is None else max(self._latest_ns, ts_ns)
        words = []
        for place, operation in enumerate(self.finding.evidence.operations):
            same = operation.frame == number if self.same_capture else operation.ts_ns == ts_ns
            if same and (self.same_capture or self._is_between(data)):
                self._named.add(place)
                words.append(operation.text)
        inside = ts_ns is not None and self.since_ns <= ts_ns <= self.until_ns
        if not words and not (inside and self._is_between(data)):
            return None
        self.taken += 1
        return "; ".join(dict.fromkeys(words))

    @property
    def missing(self) -> list[str]:
        """What of the evidence was not there, in words; empty: it is whole."""
        evidence = self.finding.evidence
        lacks = []
        unseen = len(evidence.operations) - len(self._named)
        if unseen:
            lacks.append(f"{unseen} of {len(evidence.operations)} frames that the finding names")
        if not self.same_capture and self._earliest_ns is not None and self._latest_ns is not None:
            if self._earliest_ns > evidence.first_ns:
                lacks.append("its beginning (the packets begin later)")
            if self._latest_ns < evidence.last_ns:
                lacks.append("its end (the packets end earlier)")
        return lacks

    def _is_between(self, data: bytes) -> bool:
        head = data[:_HEADERS]
        pairs = _pairs(self.finding.src_ip, self.finding.dst_ip)
        return any(pair in head for pair in pairs)


def _pairs(src: str, dst: str) -> tuple[bytes, ...]:
    """What a header between the two ends holds, one for each direction; where only one is known, that one."""
    ends = [ip_address(text).packed for text in (src, dst) if text]
    if len(ends) == 2:
        return ends[0] + ends[1], ends[1] + ends[0]
    return tuple(ends)
