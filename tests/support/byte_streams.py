"""Frames in; TCP byte streams, which frames carry which byte, and the protocol units in them, out.

The yardstick for damaged captures: it knows nothing of time, limits or the engine, and it is as simple as TCP's
byte numbers are (RFC 9293, 3.4): a byte is the same byte whichever segment carries it; the first to come counts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.pcap_records import Record

SYN, FIN, RST, ACK = 2, 1, 4, 16

End = tuple[bytes, int]
#: Bytes from the start of a unit -> its whole length; 0 where that is not known yet, negative where it is no unit.
UnitLength = Callable[[bytes], int]

_MAPPED = b"\0" * 10 + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment of the capture."""

    frame: int
    sender: End
    receiver: End
    sequence: int
    acknowledgment: int
    flags: int
    #: As captured; a snapshot length may cut it.
    payload: bytes
    #: Its length on the wire.
    length: int


def segment(frame: int, record: Record) -> Segment | None:
    """The TCP segment of a frame; None where it holds none."""
    packet = _network(record)
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        header, protocol = (packet[0] & 15) * 4, packet[9]
        total = struct.unpack_from(">H", packet, 2)[0]
        ends = (_MAPPED + packet[12:16], _MAPPED + packet[16:20])
        if struct.unpack_from(">H", packet, 6)[0] & 0x3FFF:
            return None
    else:
        header, protocol = 40, packet[6]
        total = 40 + struct.unpack_from(">H", packet, 4)[0]
        ends = (packet[8:24], packet[24:40])
    if protocol != 6:
        return None
    tcp = packet[header:total]
    source, target, sequence, acknowledgment, offset, flags = struct.unpack_from(">HHIIBB", tcp)
    return Segment(
        frame,
        (ends[0], source),
        (ends[1], target),
        sequence,
        acknowledgment,
        flags,
        tcp[(offset >> 4) * 4 :],
        total - header - (offset >> 4) * 4,
    )


def _network(record: Record) -> bytes:
    """The IP packet of a frame; empty where there is none."""
    data = record.data
    match record.link_type:
        case 0:
            return data[4:]
        case 1:
            at = 12
            while (kind := struct.unpack_from(">H", data, at)[0]) in (0x8100, 0x88A8):
                at += 4
            return data[at + 2 :] if kind in (0x0800, 0x86DD) else b""
        case 101:
            return data
        case 113:
            return data[16:] if struct.unpack_from(">H", data, 14)[0] in (0x0800, 0x86DD) else b""
    raise AssertionError(f"link type {record.link_type}")


@dataclass(slots=True)
class Direction:
    """What one side sent on one connection: its bytes by their place in the stream, and who carries each."""

    #: The sequence number of place 0.
    base: int
    #: Those with payload, and all.
    segments: list[tuple[int, Segment]] = field(default_factory=list)
    all: list[tuple[int, Segment]] = field(default_factory=list)

    def place(self, sequence: int) -> int:
        """The place of a sequence number, by the shorter way round."""
        ahead = (sequence - self.base) & 0xFFFFFFFF
        return ahead - 2**32 if ahead >= 2**31 else ahead

    def carriers(self, start: int, end: int) -> list[set[int]]:
        """For each byte from one place to another, the frames that carry it."""
        found: list[set[int]] = [set() for _ in range(start, end)]
        for at, one in self.segments:
            for place in range(max(start, at), min(end, at + len(one.payload))):
                found[place - start].add(one.frame)
        return found

    def content(self) -> bytes:
        """The bytes from place 0 up to the first that nobody carried; the first carrier counts."""
        held: dict[int, int] = {}
        for at, one in self.segments:
            for offset, byte in enumerate(one.payload):
                held.setdefault(at + offset, byte)
        end = 0
        while end in held:
            end += 1
        return bytes(held[place] for place in range(end))


@dataclass(slots=True)
class Connection:
    """One TCP connection, from its SYN or its first segment on."""

    first_frame: int
    #: By sender, in the order of their first segments.
    sides: dict[End, Direction]
    frames: list[int] = field(default_factory=list)


def connections(records: Sequence[Record]) -> list[Connection]:
    """Every connection; a new SYN with another number begins a new one of the same ends."""
    current: dict[frozenset[End], Connection] = {}
    found: list[Connection] = []
    for number, record in enumerate(records, 1):
        one = segment(number, record)
        if one is None:
            continue
        ends = frozenset((one.sender, one.receiver))
        connection = current.get(ends)
        opens = one.flags & (SYN | ACK) == SYN
        if connection is None or (opens and _is_another(connection, one)):
            connection = current[ends] = Connection(number, {})
            found.append(connection)
        connection.frames.append(number)
        _add(connection, one)
    return found


def _is_another(connection: Connection, one: Segment) -> bool:
    side = connection.sides.get(one.sender)
    return side is not None and side.base != (one.sequence + 1) & 0xFFFFFFFF


def _add(connection: Connection, one: Segment) -> None:
    syn = bool(one.flags & SYN)
    side = connection.sides.get(one.sender)
    if side is None:
        side = connection.sides[one.sender] = Direction((one.sequence + syn) & 0xFFFFFFFF)
    placed = (side.place(one.sequence + syn), one)
    side.all.append(placed)
    if one.payload and not one.flags & RST:
        side.segments.append(placed)


def units(side: Direction, length_of: UnitLength) -> list[tuple[int, int]]:
    """The units of a stream, as (start, end), from its beginning to the first that is not whole or no unit."""
    content, found, at = side.content(), [], 0
    while at < len(content):
        length = length_of(content[at:])
        if length <= 0 or at + length > len(content):
            break
        found.append((at, at + length))
        at += length
    return found


def readable(side: Direction, found: Sequence[tuple[int, int]], lost: Iterable[int]) -> list[bool]:
    """Which units a reader can still read once frames are lost.

    All of a unit's bytes have to be carried by a frame that is left, and the reader has to know where it begins: it
    follows a unit that can be read, or it begins where a segment that is left begins.
    """
    gone = set(lost)
    left = [one for one in side.segments if one[1].frame not in gone]
    starts = {at for at, _ in left}
    held: set[int] = set()
    for at, one in left:
        held.update(range(at, at + len(one.payload)))
    answers: list[bool] = []
    for start, end in found:
        whole = all(place in held for place in range(start, end))
        known = start in starts or (not answers and start == 0) or (bool(answers) and answers[-1])
        answers.append(whole and known)
    return answers


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost of one side of a connection."""

    #: Bytes sent or acknowledged, and carried by no frame that is left.
    unseen: int
    #: Bytes that are carried only after they were acknowledged: lost as far as a reader knew then.
    late: int
    #: A FIN was sent: its number may look like one byte more.
    closed: bool


def missing(connection: Connection, lost: Iterable[int]) -> dict[End, Loss]:
    """What nobody can have seen of each side once frames are lost.

    A side whose SYN is left begins behind it; another one at the first number that is left of it: of its own segments
    or of an acknowledgement.
    """
    gone = set(lost)
    return {
        sender: _loss(connection, sender, side, gone)
        for sender, side in connection.sides.items()
        if any(one.frame not in gone for _, one in side.all)
    }


def _loss(connection: Connection, sender: End, side: Direction, gone: set[int]) -> Loss:
    left = [one for one in side.all if one[1].frame not in gone]
    acknowledgments = [
        (one.frame, side.place(one.acknowledgment))
        for other, direction in connection.sides.items()
        if other != sender
        for _, one in direction.all
        if one.flags & ACK and not one.flags & RST and one.frame not in gone
    ]
    opened = any(one.flags & SYN for _, one in left)
    start = 0 if opened else min([at for at, _ in left] + [place for _, place in acknowledgments])
    carried: dict[int, int] = {}
    for at, one in left:
        if not one.flags & RST:
            for place in range(at, at + one.length):
                carried.setdefault(place, one.frame)
    fins = [at + one.length for at, one in side.all if one.flags & FIN]
    # A FIN takes a number, but is no byte.
    acknowledged = min([max((place for _, place in acknowledgments), default=start), *fins])
    end = max(max(carried, default=start - 1) + 1, acknowledged)
    unseen = sum(1 for place in range(start, end) if place not in carried)
    late, passed = 0, iter(sorted(acknowledgments))
    highest, following = start, next(passed, None)
    for place, frame in sorted(carried.items(), key=lambda item: item[1]):
        while following is not None and following[0] < frame:
            highest, following = max(highest, following[1]), next(passed, None)
        late += start <= place < highest
    return Loss(unseen, late, bool(fins))
