"""What stations said in Modbus, as they count it themselves: what a monitor's operations are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """One request, by the one who sent it; `asked` is false where a tap did not see it."""

    at_ns: int
    function: int
    answered: bool
    #: Answered by an exception.
    refused: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Operations:
    """The requests of one function in one conversation."""

    client: str
    server: str
    function: int
    asked: int
    answered: int
    exceptions: int


def operations(client: str, server: str, said: Iterable[Said]) -> list[Operations]:
    """The requests of a conversation, counted by function code."""
    asked: Counter[int] = Counter()
    answered: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    for one in said:
        asked[one.function] += one.asked
        answered[one.function] += one.answered
        refused[one.function] += one.refused
    return [
        Operations(client, server, function, asked[function], answered[function], refused[function])
        for function in sorted(asked)
    ]
