"""How one protocol's message table lies beside Wireshark's fields: declared once a protocol, in `protocols/`.

A row of our table holds one or more messages (`Part`: a request, a response); Wireshark has one dissection a
message. The two meet at the frame that completes the message; `identity` tells messages of one frame apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts

Row = Mapping[str, Any]

#: What is known beside a difference: our row, Wireshark's message, both values, and what it says of frames.
Reason = Callable[["Case"], str]


@dataclass(frozen=True, slots=True)
class Case:
    """One difference, for who explains it; a side that has no such message is None."""

    row: Row | None
    message: Message | None
    ours: Any
    theirs: Any
    facts: FrameFacts
    #: Wireshark's frame of the message, and ours where both have the message.
    frame: int
    our_frame: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One value that both know: compared where Wireshark shows it, or on both sides with `both`."""

    name: str
    #: Our value, from a row of the table; None where it has none.
    ours: Callable[[Row], Any]
    #: Wireshark's, from its dissection; None where it shows none.
    theirs: Callable[[Message], Any]
    #: Reasons tried in order: the first that says something explains.
    because: tuple[Reason, ...] = ()
    #: Compared where only we have a value, too.
    both: bool = False
    #: Rows whose value is compared: for others, Wireshark shows what we do not keep.
    when: Callable[[Row], bool] = lambda row: True


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a row."""

    name: str
    #: The column with the frame that completed the message; null where there was none.
    frame: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class DecodeAs:
    """How tshark learns of a port that we found the protocol on and Wireshark does not know."""

    #: The protocol's service name in the `flows` table.
    service: str
    #: Ports that Wireshark reads as this protocol by itself.
    known: tuple[int, ...]
    #: Ports -> tshark's arguments.
    arguments: Callable[[list[int]], list[str]]
    ip_proto: int = 6
    #: What the protocol's rows say of how they are carried, in the column `Protocol.carrier`: only of such flows.
    carried: str = ""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol's mapping."""

    name: str
    #: The table in `sensors.records`.
    table: str
    #: Names in the `service` column of flows whose messages are in the table.
    services: tuple[str, ...]
    #: Wireshark's layer that begins a message, and those that belong to it.
    begins: str
    layers: tuple[str, ...]
    #: A field that every message has once: counted to choose the better way of reassembly.
    counted: str
    decode_as: tuple[DecodeAs, ...]
    parts: tuple[Part, ...]
    #: Wireshark's message -> the name of its part; "" where it is none that we keep.
    part_of: Callable[[Message, FrameFacts], str]
    #: What tells messages of one frame and part apart; both must give equal values for equal messages.
    our_identity: Callable[[Row, str], object]
    their_identity: Callable[[Message], object]
    #: A row and the part of one of its frame columns -> the part that the message really is, as Wireshark has it.
    part_of_row: Callable[[Row, str], str] = lambda row, part: part
    #: Rows of the table that are messages of this protocol.
    takes: Callable[[Row], bool] = lambda row: True
    #: The column that says how a flow's messages are carried; "" where there is one way.
    carrier: str = ""
    #: A carrier in which some versions of Wireshark do not look: its layer, named as in the column.
    hidden_in: str = ""
    #: Whether both take the same frame for the one that completes a message.
    frames_compared: bool = True
    #: Reasons why one of the two has no such message.
    because: tuple[Reason, ...] = ()
    #: Messages that Wireshark shows within one of its layers, each by itself.
    split: Callable[[Message], Iterable[Message]] = lambda message: (message,)

    def part(self, name: str) -> Part:
        """The part of that name."""
        return next(part for part in self.parts if part.name == name)


def ports(name: str, transport: str = "tcp") -> Callable[[list[int]], list[str]]:
    """Ports -> what tells tshark to read them as the dissector of that name."""
    return lambda found: [text for one in found for text in ("-d", f"{transport}.port=={one},{name}")]


def column(name: str) -> Callable[[Row], Any]:
    """Our value: a column as it is."""
    return lambda row: row[name]


def number(name: str) -> Callable[[Message], int | None]:
    """Wireshark's value: a field as a number."""
    return lambda message: message.number(name)


def text(name: str) -> Callable[[Message], str | None]:
    """Wireshark's value: a field as text."""
    return lambda message: message.text(name)


def explain(case: Case, reasons: tuple[Reason, ...]) -> str:
    """The first reason that holds; empty where none does."""
    return next((said for reason in reasons if (said := reason(case))), "")
