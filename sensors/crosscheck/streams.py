"""Wireshark's frames in; its TCP and UDP streams, with what each side sent, out. Memory grows with the streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sensors.crosscheck.facts import TROUBLE, Fact, FrameFacts
from sensors.crosscheck.frames import End, Frame

#: Packets of a side among which a copy is looked for.
_COPIES_AMONG: Final = 64
#: How long after the original a copy may come: a mirror port's follow at once, those from behind a router later.
#: Without an IP id (RFC 6864, 4) only what repeats at once is a copy, and only what carries something.
_MIRRORED_NS: Final = 5_000_000
_ROUTED_NS: Final = 50_000_000
_WITHOUT_ID_NS: Final = 1_000_000
#: Segments of a side whose ACK the engine waits for (`tcp/round_trip.rs`): more in flight give no sample, oldest first.
AWAITED: Final = 16
_FLAGS: Final = Fact.SYN | Fact.FIN | Fact.RST


@dataclass(slots=True)
class Sent:
    """What one side of a stream sent."""

    packets: int = 0
    wire_bytes: int = 0
    payload_bytes: int = 0
    fins: int = 0
    resets: int = 0
    syn_frame: int | None = None
    syn_ack_frame: int | None = None
    #: Segments with payload that Wireshark calls sent again or out of order, keepalives left out.
    repeats: int = 0
    #: Packets that are another's copy by Wireshark's own fields, and what they carry.
    copies: int = 0
    copied_wire_bytes: int = 0
    copied_payload_bytes: int = 0
    copied_fins: int = 0
    copied_resets: int = 0
    #: Of those out of order or sent again: what we do not count, and why.
    uncounted: int = 0
    uncounted_because: set[str] = field(default_factory=set)
    #: The end of the data seen so far; None before any.
    data_end: int | None = None
    #: The latest frames with payload.
    data_frames: deque[int] = field(default_factory=lambda: deque(maxlen=AWAITED))
    recent: deque[Frame] = field(default_factory=lambda: deque(maxlen=_COPIES_AMONG))


@dataclass(slots=True)
class Stream:
    """One stream as Wireshark numbers them."""

    transport: str
    number: int
    first: Frame
    last_frame: int
    last_ns: int
    #: What was sent, by who sent it.
    sent: dict[End, Sent]
    vlan: int
    initial_rtt_ns: int | None = None
    #: Names that Wireshark gives the protocols above.
    above: set[str] = field(default_factory=set)
    #: Messages by counted field.
    counts: list[int] = field(default_factory=list)
    last_trouble: int = 0
    #: The last packet that is no copy of another.
    last_original: tuple[int, int] = (0, 0)

    @property
    def ends(self) -> frozenset[End]:
        """Both ends, whoever opened it."""
        return frozenset(self.first.ends)

    def opener(self) -> End | None:
        """Who sent the SYN, or was sent the SYN-ACK; None where neither was seen."""
        for end, sent in self.sent.items():
            if sent.syn_frame is not None:
                return end
        for end in self.sent:
            if any(sent.syn_ack_frame is not None for other, sent in self.sent.items() if other != end):
                return end
        return None


class Streams:
    """All streams, and what is known of every frame."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, int], Stream] = {}
        self.facts = FrameFacts()

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    def of(self, frame: Frame) -> Stream | None:
        """The stream that a frame belongs to."""
        return self._streams.get((frame.transport, frame.stream))

    def add(self, frame: Frame) -> None:
        """Count a frame to its stream."""
        if not frame.transport or frame.addresses is None:
            self.facts.add(frame.number, frame.facts, 0, 0, 0)
            return
        sender, receiver = frame.ends
        key = (frame.transport, frame.stream)
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(
                frame.transport,
                frame.stream,
                frame,
                frame.number,
                frame.ns,
                {sender: Sent(), receiver: Sent()},
                frame.vlans[0] if frame.vlans else 0,
                counts=[0] * len(frame.counts),
            )
        stream.last_frame, stream.last_ns = frame.number, frame.ns
        if frame.initial_rtt_ns is not None and stream.initial_rtt_ns is None:
            stream.initial_rtt_ns = frame.initial_rtt_ns
        stream.above.update(frame.protocols[frame.protocols.index(frame.transport) + 1 :])
        stream.counts = [a + b for a, b in zip(stream.counts, frame.counts, strict=True)]
        if (sent := stream.sent.get(sender)) is not None:
            _count(sent, frame)
        if not frame.facts & Fact.COPY:
            stream.last_original = (frame.number, frame.ns)
        if frame.facts & (TROUBLE | Fact.COPY):
            stream.last_trouble = frame.number
        tcp_number = frame.stream + 1 if frame.transport == "tcp" else 0
        self.facts.add(frame.number, frame.facts, *frame.ports, tcp_number)


def _count(sent: Sent, frame: Frame) -> None:
    """Add a frame to what its sender sent; notes in the frame where it is a copy."""
    facts = frame.facts
    if _is_copy(sent, frame):
        frame.facts = facts = facts | Fact.COPY
        sent.copies += 1
        sent.copied_wire_bytes += frame.wire_bytes
        sent.copied_payload_bytes += frame.payload_bytes
        sent.copied_fins += bool(facts & Fact.FIN)
        sent.copied_resets += bool(facts & Fact.RST)
    sent.packets += 1
    sent.wire_bytes += frame.wire_bytes
    sent.payload_bytes += frame.payload_bytes
    sent.fins += bool(facts & Fact.FIN)
    sent.resets += bool(facts & Fact.RST)
    if facts & Fact.SYN:
        if facts & Fact.ACK:
            sent.syn_ack_frame = sent.syn_ack_frame or frame.number
        else:
            sent.syn_frame = sent.syn_frame or frame.number
    if frame.payload_bytes:
        _count_data(sent, frame)


def _count_data(sent: Sent, frame: Frame) -> None:
    """Add a segment with payload: Wireshark's verdict of it, and whether we count it for a loss or a disorder."""
    sent.data_frames.append(frame.number)
    start = int(frame.sequence[0] or 0)
    end = start + frame.payload_bytes
    again = frame.facts & Fact.RETRANSMISSION
    if frame.facts & Fact.KEEP_ALIVE:
        pass
    elif again or frame.facts & Fact.OUT_OF_ORDER:
        sent.repeats += 1
        reasons = (
            (frame.facts & Fact.COPY, "ours: a packet seen twice was sent once"),
            (frame.facts & Fact.SPURIOUS, "ours: what was acknowledged already was not lost"),
            (
                again and sent.data_end == start,
                "Wireshark's: a bare ACK with a later sequence number told that this was lost before the tap",
            ),
        )
        if (reason := next((text for holds, text in reasons if holds), "")) != "":
            sent.uncounted += 1
            sent.uncounted_because.add(reason)
    # Sequence numbers wrap; which of two is later is told by the shorter way (RFC 9293, 3.4).
    if sent.data_end is None or (end - sent.data_end) % 2**32 < 2**31:
        sent.data_end = end % 2**32


def _is_copy(sent: Sent, frame: Frame) -> bool:
    """Whether the same packet was seen a moment ago: a host gives a packet that it sends again a new IP id."""
    while sent.recent and frame.ns - sent.recent[0].ns > _ROUTED_NS:
        sent.recent.popleft()
    known = any(_copies(frame, earlier) for earlier in sent.recent)
    if not known:
        sent.recent.append(frame)
    return known


def _copies(frame: Frame, earlier: Frame) -> bool:
    if (frame.ip_id, frame.sequence, frame.payload_bytes, frame.facts & _FLAGS) != (
        earlier.ip_id,
        earlier.sequence,
        earlier.payload_bytes,
        earlier.facts & _FLAGS,
    ):
        return False
    later_ns = frame.ns - earlier.ns
    if frame.ip_id in ("", "0x0000"):
        return later_ns <= _WITHOUT_ID_NS and bool(frame.facts & (Fact.DATA | Fact.SYN))
    return later_ns <= (_MIRRORED_NS if frame.hops == earlier.hops else _ROUTED_NS)
