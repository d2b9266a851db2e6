"""A protocol of the table of operations beside Wireshark's reading: what all of them share.

What is counted by the minute (cyclic values, what devices tell by themselves) has no row for each message: it is left
out on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import DecodeAs, Field, Part, Protocol, Reason, Row

#: What ISO transport does for the protocol that it carries.
_TRANSPORT: Final = ("connect", "disconnect")


def _any_row(_: Row, __: str) -> object:
    return ""


def _any_message(_: Message) -> object:
    return ""


def operation(
    service: str,
    *,
    begins: str,
    counted: str,
    decode_as: tuple[DecodeAs, ...],
    part_of: Callable[[Message, FrameFacts], str],
    request: tuple[Field, ...],
    response: tuple[Field, ...],
    layers: tuple[str, ...] = (),
    split: Callable[[Message], Iterable[Message]] = lambda message: (message,),
    identity: tuple[Callable[[Row, str], object], Callable[[Message], object]] = (_any_row, _any_message),
    because: tuple[Reason, ...] = (),
) -> Protocol:
    """A protocol of the table of operations; messages of one frame are told apart by their order, or by `identity`."""

    def takes(row: Row) -> bool:
        is_message = row["outcome"] != "one_way" and row["operation"] not in _TRANSPORT
        return bool(row["service"] == service and is_message)

    return Protocol(
        name=service,
        table="operations",
        services=(service,),
        begins=begins,
        layers=layers,
        counted=counted,
        decode_as=decode_as,
        parts=(Part("request", "request_frame", request), Part("response", "response_frame", response)),
        part_of=part_of,
        our_identity=identity[0],
        their_identity=identity[1],
        takes=takes,
        split=split,
        because=because,
    )


def named(names: dict[int, str], field: str) -> Callable[[Message], str | None]:
    """What we call the operation with that number; None for one whose name depends on more."""

    def name(message: Message) -> str | None:
        code = message.number(field)
        return None if code is None else names.get(code)

    return name


def has_failed(row: Row) -> bool:
    """Whether the answer is an error."""
    return row["error_code"] is not None
