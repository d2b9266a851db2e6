"""Our message rows and Wireshark's messages in, both in the capture's order; agreement field by field out."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import zip_longest
from typing import Any

from sensors.crosscheck.agreement import Agreement
from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import Fact, FrameFacts
from sensors.crosscheck.mapping import Case, Part, Protocol, Row, explain

#: (frame, part, what tells messages of one frame apart)
_Key = tuple[int, str, object]
#: (stream, part, what tells messages of one frame apart)
_Elsewhere = tuple[int, str, object]


class Messages:
    """Messages of one protocol that wait for the other decoder's.

    What waits is bounded by the requests that the engine lets wait for a response (`pending_limit_all`), and by
    the differences themselves.
    """

    def __init__(
        self, protocol: Protocol, facts: FrameFacts, agreement: Agreement, hidden_in: str = ""
    ) -> None:
        self._protocol = protocol
        self._hidden_in = hidden_in
        self._facts = facts
        self._agreement = agreement
        self._ours: defaultdict[_Key, list[Row]] = defaultdict(list)
        self._theirs: defaultdict[_Key, list[Message]] = defaultdict(list)

    def add_ours(self, row: Row) -> None:
        """A row of our table."""
        if not self._protocol.takes(row) or (
            self._hidden_in and row[self._protocol.carrier] == self._hidden_in
        ):
            return
        for column in self._protocol.parts:
            if (frame := row[column.frame]) is None:
                continue
            name = self._protocol.part_of_row(row, column.name)
            key = (frame, name, self._protocol.our_identity(row, name))
            if (waiting := self._theirs.get(key)) is None:
                self._ours[key].append(row)
                continue
            self._compare(self._protocol.part(name), frame, row, waiting.pop(0))
            if not waiting:
                del self._theirs[key]

    def add_theirs(self, message: Message) -> None:
        """What Wireshark shows as one message, with those inside it."""
        for one in self._protocol.split(message):
            self._add_theirs(one)

    def _add_theirs(self, message: Message) -> None:
        name = self._protocol.part_of(message, self._facts)
        if not name:
            return
        key = (message.frame, name, self._protocol.their_identity(message))
        if (waiting := self._ours.get(key)) is None:
            self._theirs[key].append(message)
            return
        self._compare(self._protocol.part(name), message.frame, waiting.pop(0), message)
        if not waiting:
            del self._ours[key]

    def finish(self) -> None:
        """Both are at their end: pair what is left, and count what has no partner."""
        self._pair_elsewhere()
        ours = _by_frame(self._ours)
        theirs = _by_frame(self._theirs)
        for frame in sorted(ours.keys() | theirs.keys()):
            for own, other in zip_longest(ours.get(frame, []), theirs.get(frame, [])):
                if own is None or other is None:
                    self._alone(frame, own, other)
                elif own[0] == other[0]:
                    self._compare(self._protocol.part(own[0]), frame, own[1], other[1])
                else:
                    self._differ("kind of message", frame, own[1], other[1], own[0], other[0])

    def _pair_elsewhere(self) -> None:
        """Equal messages of one stream at different frames: the decoders differ in which frame completed them."""
        there: defaultdict[_Elsewhere, list[_Key]] = defaultdict(list)
        for key in sorted(self._theirs, key=lambda key: key[0]):
            there[self._facts.stream(key[0]), key[1], key[2]] += [key] * len(self._theirs[key])
        for key in sorted(self._ours, key=lambda key: key[0]):
            frame, name, identity = key
            found = there[self._facts.stream(frame), name, identity]
            while self._ours[key] and found:
                row, message = self._ours[key].pop(0), self._theirs[found.pop(0)].pop(0)
                self._compare(self._protocol.part(name), frame, row, message)

    def _alone(self, frame: int, own: tuple[str, Row] | None, other: tuple[str, Message] | None) -> None:
        row, message = own and own[1], other and other[1]
        self._differ("message", frame, row, message, own and own[0], other and other[0])

    def _differ(
        self, name: str, frame: int, row: Row | None, message: Message | None, ours: Any, theirs: Any
    ) -> None:
        case = Case(row, message, ours, theirs, self._facts, frame)
        self._agreement.compare(
            self._protocol.name,
            name,
            ours,
            theirs,
            frame=frame,
            about=self._about(row, message),
            because=lambda: explain(case, (*self._protocol.because, filled_later)),
        )

    def _compare(self, part: Part, our_frame: int, row: Row, message: Message) -> None:
        frame = message.frame
        about = self._about(row, message)
        self._agreement.compare(self._protocol.name, "message", 1, 1, frame=frame, about=about)
        if self._protocol.frames_compared:
            self._differ("frame", frame, row, message, our_frame, frame)
        for field in part.fields:
            if not field.when(row):
                continue
            theirs = field.theirs(message)
            ours = field.ours(row)
            if theirs is None and (ours is None or not field.both):
                continue
            case = Case(row, message, ours, theirs, self._facts, frame, our_frame)
            self._agreement.compare(
                self._protocol.name,
                f"{part.name}: {field.name}",
                ours,
                theirs,
                frame=frame,
                about=about,
                because=partial(explain, case, (*field.because, other_frame)),
            )

    def _about(self, row: Row | None, message: Message | None) -> str:
        if row is not None:
            return f"flow {row['flow_id']}, {self._protocol.our_identity(row, '')}"
        return str(self._protocol.their_identity(message)) if message is not None else ""


def other_frame(case: Case) -> str:
    """What follows from a message's frame that the two do not agree on."""
    if case.our_frame in (None, case.frame):
        return ""
    return "follows from the frame of the message, on which the two differ"


def filled_later(case: Case) -> str:
    """A message that lies whole in a segment behind a hole."""
    if not isinstance(case.ours, int) or not isinstance(case.theirs, int):
        return ""
    filler = case.facts.of(case.theirs)
    if case.ours < case.theirs and filler & (Fact.RETRANSMISSION | Fact.OUT_OF_ORDER):
        return (
            "ours: the frame that carries the message's last byte; Wireshark holds it back until an earlier hole "
            "is filled"
        )
    return ""


def _by_frame(waiting: dict[_Key, list[Any]]) -> dict[int, list[tuple[str, Any]]]:
    """What has no equal, by frame, as (part, message), requests and responses apart."""
    frames: defaultdict[int, list[tuple[str, Any]]] = defaultdict(list)
    for (frame, part, _), found in waiting.items():
        frames[frame] += [(part, one) for one in found]
    return {frame: sorted(found, key=lambda one: one[0]) for frame, found in frames.items()}
