"""Polls told as a story: who was asked when and how it ended, one letter a slot; what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from analyzers.findings import Finding
from analyzers.polls.judging import Judgement
from analyzers.polls.limits import PollLimits
from analyzers.polls.watch import Polls
from policy.zoning import CompiledSite
from sensors.records import COVERAGE
from tests.policy.factories import HISTORIAN, MINUTE, NOON, PLC, SECOND, SITE, Wire, batch, compiled, row

CAPTURE: Final = "c" * 64
POLICY: Final = "p" * 64
_MS: Final = 1_000_000
#: What a letter means: outcome and latency; "-" is a slot that nobody asks in.
_ENDS: Final[dict[str, tuple[str, int | None]]] = {
    "g": ("answered", 5 * _MS),
    "l": ("answered", 30 * SECOND),
    "e": ("exception", 5 * _MS),
    "u": ("unanswered", None),
}
#: The first poll of every story, declared.
DECLARED: Final = """\
polls:
- {client: hist1, server: plc1, unit: 1, function: 3, address: 0, quantity: 10, period_ms: 1000, deadline_ms: 200}
"""


@dataclass
class Told:
    """A wire that polls are told on; times are seconds after NOON."""

    wire: Wire = field(default_factory=Wire)
    flows: dict[tuple[str, str], int] = field(default_factory=dict)
    frame: int = 0
    last_ns: int = NOON
    #: Rows come as they are told, whatever their times say.
    in_order: bool = False
    silent_minutes: set[int] = field(default_factory=set)
    lossy_minutes: set[int] = field(default_factory=set)

    def flow(self, client: str = HISTORIAN, server: str = PLC, *, anew: bool = False) -> int:
        """The connection of two hosts."""
        if anew or (client, server) not in self.flows:
            number = self.wire.flow(client, server, client_port=50_000 + len(self.wire.starts))
            self.flows[client, server] = number
        return self.flows[client, server]

    def poll(
        self,
        slots: str,
        *,
        period_s: float = 1.0,
        from_s: float = 0.0,
        client: str = HISTORIAN,
        server: str = PLC,
        address: int = 0,
        jitter_s: Sequence[float] = (0.0,),
        flow: int | None = None,
    ) -> float:
        """One letter a slot: good, late, exception, unanswered, - for none asked. When the next slot is due."""
        number = flow or self.flow(client, server)
        for place, letter in enumerate(slots):
            if letter in _ENDS:
                at_s = from_s + place * period_s + jitter_s[place % len(jitter_s)]
                self.ask(at_s, letter, flow=number, address=address)
        return from_s + len(slots) * period_s

    def ask(self, at_s: float, letter: str, *, flow: int | None = None, address: int = 0) -> None:
        """One request."""
        self.frame += 2
        at = NOON + round(at_s * SECOND)
        outcome, latency = _ENDS[letter]
        self.last_ns = max(self.last_ns, at)
        self.wire.modbus(
            flow or self.flow(), 3, at=at, outcome=outcome, frame=self.frame, latency_ns=latency,
            address=address, quantity=10,
        )  # fmt: skip

    def seen(self, at_s: float, flow: int | None = None, **more: Any) -> None:
        """A minute of a flow's traffic."""
        at = NOON + round(at_s * SECOND)
        self.last_ns = max(self.last_ns, at)
        given: dict[str, Any] = {"service": "modbus", "confidence": "structure", **more}
        self.wire.minute(flow or self.flow(), at=at, **given)

    def until(self, at_s: float) -> None:
        """The capture goes on to that moment: another conversation is seen there."""
        self.seen(at_s, self.flow("10.20.0.78", "10.50.0.5"))

    def coverage(self) -> pa.RecordBatch:
        """Every minute up to the last was seen whole, but for those that are said not to be."""
        rows = [
            row(COVERAGE, minute=at, packets=1_000, unseen_segments=50 if at in self.lossy_minutes else 0)
            for at in range(NOON, self.last_ns + 1, MINUTE)
            if at not in self.silent_minutes
        ]
        return batch(COVERAGE, rows)

    def polls(self, site: CompiledSite | None = None, limits: PollLimits | None = None) -> Polls:
        """What comes of it."""
        mine = site or compiled()
        # The decoder writes a row once the answer came, or once it has waited for a minute in vain.
        if not self.in_order:
            self.wire.transactions.sort(
                key=lambda one: one["ts"] + (MINUTE if one["latency_ns"] is None else one["latency_ns"])
            )
        found = Polls(mine, POLICY, "0.1.0", limits)
        found.feed(self.wire.traffic(mine), self.coverage())
        return found

    def judged(self, site: CompiledSite | None = None) -> Judgement:
        """What it is judged to be."""
        return self.polls(site).judged()

    def findings(self, site: CompiledSite | None = None) -> list[Finding]:
        """What is found of it."""
        return self.polls(site).finish(CAPTURE)


def site_with(*, polls: str = "", changes: str = "") -> CompiledSite:
    """The factories' site with polls or changes."""
    return compiled(SITE + polls + changes)
