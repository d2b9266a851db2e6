"""What is true of a run, counted from the model and not from the bytes: what a monitor is held against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from pcaps.lab.synth.frames import SYN
from pcaps.lab.synth.network import Captured, Network


@dataclass(slots=True)
class Seen:
    """What somebody at the tap can know of the data segments of some flows."""

    data_segments: int = 0
    #: Seen again without having been acknowledged at the tap: lost behind it. Each segment once.
    seen_twice: int = 0
    #: Further repeats of those.
    seen_more_often: int = 0
    #: Seen again after their acknowledgement: it was the acknowledgement that got lost.
    repeated_in_vain: int = 0
    #: Seen after later data of their sender: lost before the tap, and sent again.
    filled_holes: int = 0
    #: The same, but sooner than a round trip after that later data: it can be taken for another order.
    filled_at_once: int = 0
    #: Seen after a pure ACK that told their sender was further: lost before the tap too, but no data told it.
    filled_behind_acks: int = 0

    @property
    def repeats(self) -> int:
        """Segments that are not the first showing of new bytes in their order."""
        again = self.seen_twice + self.seen_more_often + self.repeated_in_vain
        return again + self.filled_holes + self.filled_at_once + self.filled_behind_acks


@dataclass(slots=True)
class _Direction:
    showings: Counter[int] = field(default_factory=Counter)
    #: First byte of a hole -> when later data showed it.
    holes: dict[int, int] = field(default_factory=dict)
    highest_data: int = 0
    highest: int = 0
    acked: int = 0


def observe(captured: Iterable[Captured], network: Network) -> dict[tuple[str, str], Seen]:
    """(client, server) -> what the tap saw of their TCP conversations; `captured` in the order of time."""
    directions: dict[tuple[str, str], _Direction] = defaultdict(_Direction)
    seen: dict[tuple[str, str], Seen] = defaultdict(Seen)
    for one in captured:
        packet = one.packet
        if not packet.tcp_flags or one.receiver is None:
            continue
        ours = directions[packet.flow, one.sender.name]
        theirs = directions[packet.flow, one.receiver.name]
        theirs.acked = max(theirs.acked, packet.ack)
        if packet.tcp_flags & SYN:
            ours.highest_data = packet.seq + 1
        if packet.payload_bytes:
            client, server = (end.split(":")[0] for end in packet.flow.split("@")[0].split(">"))
            _count(
                seen[client, server], ours, one, network.round_trip_ns(one.sender, one.receiver, one.ts_ns)
            )
        ours.highest = max(ours.highest, packet.seq + packet.payload_bytes)
    return dict(seen)


def _count(count: Seen, ours: _Direction, one: Captured, round_trip_ns: int) -> None:
    start = one.packet.seq
    end = start + one.packet.payload_bytes
    count.data_segments += 1
    if start in ours.showings:
        if end <= ours.acked:
            count.repeated_in_vain += 1
        elif ours.showings[start] == 1:
            count.seen_twice += 1
        else:
            count.seen_more_often += 1
    elif end <= ours.highest_data:
        shown_ns = max(shown_ns for first, shown_ns in ours.holes.items() if first <= start)
        if one.ts_ns - shown_ns < round_trip_ns:
            count.filled_at_once += 1
        else:
            count.filled_holes += 1
    elif end <= ours.highest:
        count.filled_behind_acks += 1
    if start > ours.highest_data:
        ours.holes[ours.highest_data] = one.ts_ns
    ours.showings[start] += 1
    ours.highest_data = max(ours.highest_data, end)
