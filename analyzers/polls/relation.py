"""One relation: what a client asks of a server, its good slots, and the stretches without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Good(NamedTuple):
    """A request that was answered well and in time."""

    ts_ns: int
    flow_id: int
    frame: int


class Bad(NamedTuple):
    """A request that was not: late, refused or unanswered."""

    ts_ns: int
    how: str
    frame: int


class Stretch(NamedTuple):
    """From one good answer to the next that is not in the next slot; `after` is None where none has come yet."""

    before: Good
    after: Good | None
    #: Slots from one to the other.
    slots: int
    #: Slots in a row that were good before it, each in the one after the other.
    streak: int


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks whom for what, and where they are."""

    client_ip: bytes
    server_ip: bytes
    ip_proto: int
    server_port: int
    service: str
    what: str
    client_zone: str
    server_zone: str
    conduit: str
    role_source: str
    #: The flow's server is the one who asks.
    turned: bool = False

    @property
    def conversation(self) -> tuple[bytes, bytes, int, int]:
        """Client, server, IP protocol and port."""
        return self.client_ip, self.server_ip, self.ip_proto, self.server_port


@dataclass(slots=True)
class Relation:
    """What is known of one relation so far."""

    subject: Subject
    #: After this an answer is late.
    deadline_ns: int
    #: The policy declares it: its period is given, and its silence is an outage whatever else the client asks.
    declared: bool = False
    #: ns; 0 while none is known.
    period_ns: int = 0
    #: The first good answer of all, before a period was known.
    earliest_ns: int | None = None
    #: Good slots, and where the last of them is.
    good: int = 0
    first: Good | None = None
    last: Good | None = None
    streak: int = 0
    #: |interval - period| of successive slots: how many, and the largest.
    intervals: int = 0
    jitter_max_ns: int = 0
    #: Times that the clock went back by more than half a period: nothing is judged across them.
    clock_set_back: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
