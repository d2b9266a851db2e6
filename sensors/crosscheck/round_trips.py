"""Both decoders' round-trip samples in; agreement sample by sample, at the frame that completes each, out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sensors.crosscheck.agreement import Agreement
from sensors.crosscheck.facts import TROUBLE, Fact, FrameFacts
from sensors.crosscheck.frames import Frame
from sensors.crosscheck.streams import AWAITED, Stream

#: Samples that Wireshark has, too; `path` is a sum of ours.
KINDS: Final = frozenset({"handshake_server", "handshake_client", "ack_server", "ack_client"})

#: Samples of Wireshark's that wait at once; the oldest is given up for one more.
WAITING_LIMIT: Final = 100_000

_FIN_AFTER_DATA: Final = (
    "ours: from the data that the ACK covers; Wireshark starts at the FIN that came behind it"
)

#: No sample of ours is older: the sender would have sent again (RFC 6298, 2).
_OLDEST_NS: Final = 3_000_000_000


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A sample of Wireshark's that waits for ours."""

    frame: int
    acked_frame: int
    rtt_ns: int
    #: Why we may have none.
    why: str
    acks_fin: bool


class RoundTrips:
    """Samples that wait for the other decoder's. Ours may come late: a flow's roles have to be known first."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._ours: dict[int, list[int]] = {}
        self._theirs: OrderedDict[int, _Theirs] = OrderedDict()

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Rows of our `rtt` table."""
        for row in rows:
            if row["kind"] not in KINDS:
                continue
            theirs = self._theirs.pop(row["frame"], None)
            if theirs is None:
                self._ours.setdefault(row["frame"], []).append(row["rtt_ns"])
            else:
                self._compare([row["rtt_ns"]], theirs)

    def frame(self, frame: Frame, stream: Stream | None, facts: FrameFacts) -> None:
        """The next frame of Wireshark's."""
        ours = self._ours.pop(frame.number, [])
        if frame.ack_rtt_ns is None:
            for rtt_ns in ours:
                self._check("round-trip sample", rtt_ns, None, frame.number, "", _why_not_theirs(rtt_ns))
            return
        why = "" if ours else _why_not_ours(frame, stream, facts)
        fin = bool(facts.of(frame.acked_frame) & Fact.FIN)
        theirs = _Theirs(frame.number, frame.acked_frame, frame.ack_rtt_ns, why, fin)
        if ours:
            self._compare(ours, theirs)
            return
        self._theirs[frame.number] = theirs
        if len(self._theirs) > WAITING_LIMIT:
            self._missing(self._theirs.popitem(last=False)[1])

    def finish(self) -> None:
        """Both are at their end."""
        for theirs in self._theirs.values():
            self._missing(theirs)
        for frame, ours in self._ours.items():
            for rtt_ns in ours:
                self._check("round-trip sample", rtt_ns, None, frame, "", _why_not_theirs(rtt_ns))

    def _compare(self, ours: list[int], theirs: _Theirs) -> None:
        about = f"acknowledges frame {theirs.acked_frame}"
        self._check("round-trip sample", "a sample", "a sample", theirs.frame, about, "")
        best = theirs.rtt_ns if theirs.rtt_ns in ours else ours[0]
        why = _FIN_AFTER_DATA if theirs.acks_fin and best > theirs.rtt_ns else ""
        self._check("round-trip time", best, theirs.rtt_ns, theirs.frame, about, why)

    def _missing(self, theirs: _Theirs) -> None:
        about = f"acknowledges frame {theirs.acked_frame}"
        self._check("round-trip sample", None, theirs.rtt_ns, theirs.frame, about, theirs.why)

    def _check(self, field: str, ours: Any, theirs: Any, frame: int, about: str, why: str) -> None:
        self._agreement.compare("tcp", field, ours, theirs, frame=frame, about=about, because=lambda: why)


def _why_not_ours(frame: Frame, stream: Stream | None, facts: FrameFacts) -> str:
    """Why we take no sample where Wireshark does: it has no rule against samples that mean nothing."""
    acked, own = facts.of(frame.acked_frame), frame.facts
    reasons = (
        (bool(own & Fact.RST), "ours: a reset answers nothing in time"),
        (
            bool(acked & Fact.FIN),
            "ours: the ACK of a FIN is no sample (a closing application takes its time)",
        ),
        (bool((acked | own) & Fact.KEEP_ALIVE), "ours: a keepalive asks for an ACK of old data"),
        (bool((acked | own) & Fact.COPY), "ours: a copy of a packet is no second sample"),
        (
            bool(acked & TROUBLE),
            "ours: Karn's rule (RFC 6298, 3): the ACK of a segment sent again, or seen late, may be that of another",
        ),
        (
            (frame.ack_rtt_ns or 0) > _OLDEST_NS,
            "ours: after 3 s the sender would have sent again (RFC 6298, 2): this ACK is of something unseen",
        ),
        (
            stream is not None and stream.last_trouble > frame.acked_frame,
            "ours: a gap or a repeat came between the segment and its ACK",
        ),
        (
            stream is not None and _many_in_flight(frame, stream),
            f"ours: of more than {AWAITED} segments in flight only the latest give samples (bounded memory)",
        ),
        (bool(own & TROUBLE), "ours: the ACK itself is of a segment sent again, or behind a gap"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _many_in_flight(frame: Frame, stream: Stream) -> bool:
    """Whether so many segments came behind the acknowledged one that it was forgotten."""
    sent = stream.sent.get(frame.ends[1])
    return sent is not None and len(sent.data_frames) == AWAITED and sent.data_frames[0] > frame.acked_frame


def _why_not_theirs(ours_ns: int) -> str:
    if ours_ns == 0:
        return "ours: Wireshark leaves out round trips of 0, which coarse clocks make"
    return ""
