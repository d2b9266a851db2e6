"""The emulator's own record in; requests and their answers on a port, as one sees them at an end of the link, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pcaps.lab.plant.link.round_trips import Conversation
from pcaps.lab.plant.link.truth import Crossing


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and when its answer came; None where none did."""

    asked_ns: int
    answered_ns: int | None
    conversation: Conversation

    @property
    def took_ns(self) -> int | None:
        """From the request to its answer."""
        return None if self.answered_ns is None else self.answered_ns - self.asked_ns


def exchanges(log: Iterable[Crossing], port: int, end: str) -> list[Exchange]:
    """Every request to a server's port that was seen at the end that frames to `end` leave at.

    For clients that wait for each answer before they ask again, a segment a message, as Modbus pollers do. What comes
    to the link is seen at the end where it comes even if the link then drops it; the first copy of a segment counts.
    """
    seen = sorted(
        ((one.received_ns if one.way != end else one.sent_ns, one) for one in log),
        key=lambda pair: pair[0] or 0,
    )
    sent: defaultdict[tuple[str, int, str, int], set[int]] = defaultdict(set)
    open_: dict[tuple[str, int, str, int], int] = {}
    found: list[Exchange] = []
    for at_ns, one in seen:
        who = one.frame
        if at_ns is None or who is None or not who.payload or port not in (who.sport, who.dport):
            continue
        if who.seq in sent[who.conversation]:
            continue
        sent[who.conversation].add(who.seq)
        if who.dport == port:
            open_[who.conversation] = at_ns
            continue
        client = who.dst, who.dport, who.src, who.sport
        asked_ns = open_.pop(client, None)
        if asked_ns is not None:
            found.append(Exchange(asked_ns, at_ns, client))
    return [*found, *(Exchange(asked_ns, None, client) for client, asked_ns in open_.items())]
