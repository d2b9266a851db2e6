"""Measured minutes in, as they come; findings about whole scopes out (`analyzers.scope_findings`).

What an outage or flapping tells already is left out: conversations' minutes in which one was found burn nothing. That
may be known later than the minute, and so may who has polls: minutes are summed again from the first that changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from typing import Any, Final

import polars as pl
import pyarrow as pa

from analyzers.burning import LONGEST
from analyzers.findings import Finding
from analyzers.measurements import SLA_MINUTES
from analyzers.scope_courses import Courses, Told
from analyzers.scope_findings import finding_of
from analyzers.sla_kinds import LOSSY
from policy.traffic import table_schema
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite

#: Client, server, IP protocol and port.
Conversation = tuple[bytes, bytes, int, int]
#: A conversation and the start of a minute.
Cell = tuple[Conversation, int]
#: What is needed of a row of SLA_MINUTES.
_COLUMNS: Final = (
    "minute", "valid", "exclusion", "from_zone", "to_zone", "conduit", "client_ip", "server_ip", "server_port",
    "ip_proto", "service", "first_ts", "first_frame", "data_segments", "lost_segments", "lost_before_tap",
    "lost_after_tap", "transactions", "good", "exceptions", "unanswered", "late", "missed", "transaction_buckets",
    "transaction_counts",
)  # fmt: skip
_SCHEMA: Final = {name: kind for name, kind in table_schema(SLA_MINUTES).items() if name in _COLUMNS}
_CONVERSATION: Final = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
}
#: Of an interface: minutes are remembered for the longest window, and an hour for what is known later of them.
KEEP_MINUTES: Final = LONGEST + 60


class ScopeWatch:
    """Gathers measured minutes and says what they show; grows with conversations' minutes."""

    def __init__(
        self, site: CompiledSite, policy_sha256: str, version: str, *, keep_minutes: int | None = None
    ) -> None:
        """`keep_minutes`: of an interface that goes on, how long minutes are remembered."""
        self._site = site
        self._policy_sha256 = policy_sha256
        self._version = version
        self._keep_minutes = keep_minutes
        self._courses = Courses(site)
        self._rows = _prepared(pl.DataFrame(schema=_SCHEMA))
        self._newest: int | None = None
        #: The first minute that is to be summed again.
        self._changed: int | None = None
        self._polled: Set[Conversation] = frozenset()
        #: By minute: conversations in which an outage was found.
        self._told: defaultdict[int, set[Conversation]] = defaultdict(set)
        self._made: dict[tuple[Any, ...], Finding] = {}

    @property
    def remembered_since_ns(self) -> int | None:
        """The oldest minute of which anything may still change; None: all of them."""
        if self._keep_minutes is None or self._newest is None:
            return None
        return (self._newest - self._keep_minutes + 1) * MINUTE_NS

    def feed(self, minutes: pa.RecordBatch) -> None:
        """Add rows of SLA_MINUTES, each conversation's minute once."""
        rows = _prepared(
            pl.DataFrame(minutes).select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
        )
        if rows.is_empty():
            return
        first, last = rows.select(first=pl.col("at").min(), last=pl.col("at").max()).row(0)
        self._newest = last if self._newest is None else max(self._newest, last)
        self._change(first)
        self._rows = pl.concat([self._rows, rows.filter(pl.col("exclusion") == "")])
        if self._keep_minutes is not None:
            self._rows = self._rows.filter(pl.col("at") > self._newest - self._keep_minutes)

    def finish(self, polled: Set[Conversation], told: Set[Cell], capture_sha256: str) -> list[Finding]:
        """What the minutes show up to now, each finding as it was when it was made first.

        `polled` are the conversations with polls: budgets are theirs, or a stranger's survey would spend them. `told`
        are the conversations' minutes in which an outage was found.
        """
        if self._newest is None:
            return []
        self._learn(polled, told)
        if self._changed is not None:
            rows = self._rows.filter(pl.col("at") >= self._changed)
            self._courses.put(self._changed, rows, self._spending(rows))
            self._changed = None
        if self._keep_minutes is not None:
            before = self._newest - self._keep_minutes + 1
            self._courses.forget(self._newest, before)
            self._told = defaultdict(set, {at: of for at, of in self._told.items() if at >= before})
        made = ((one.key, self._finding(one, capture_sha256)) for one in self._courses.told())
        self._made = {key: finding for key, finding in made if finding is not None}
        return list(self._made.values())

    def _finding(self, one: Told, capture_sha256: str) -> Finding | None:
        if one.key in self._made:
            return self._made[one.key]
        rows = self._rows.filter(pl.col("at").is_between(one.since, one.last))
        shown = rows if one.kind is LOSSY else self._spending(rows)
        return finding_of(self._site, one, shown, self._policy_sha256, self._version, capture_sha256)

    def _learn(self, polled: Set[Conversation], told: Set[Cell]) -> None:
        """What is new of who has polls, and of what outages tell."""
        if differing := polled ^ self._polled:
            at = self._rows.join(_conversations(differing), on=list(_CONVERSATION), how="semi")["at"].min()
            self._change(at)  # type: ignore[arg-type]
            self._polled = frozenset(polled)
        since_ns = self.remembered_since_ns
        for conversation, at_ns in told:
            at_minute = at_ns // MINUTE_NS
            if since_ns is not None and at_ns < since_ns:
                continue
            if conversation not in self._told.get(at_minute, ()):
                self._told[at_minute].add(conversation)
                self._change(at_minute)

    def _change(self, first: int | None) -> None:
        """From this minute on sums are made again."""
        if first is not None:
            self._changed = first if self._changed is None else min(self._changed, first)

    def _spending(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The minutes of conversations with polls in which no outage was found."""
        of_polls = rows.join(_conversations(self._polled), on=list(_CONVERSATION), how="semi")
        if of_polls.is_empty():
            return of_polls
        first, last = of_polls.select(first=pl.col("at").min(), last=pl.col("at").max()).row(0)
        cells = [
            (*conversation, at) for at, of in self._told.items() if first <= at <= last for conversation in of
        ]
        told = pl.DataFrame(cells, schema={**_CONVERSATION, "at": pl.Int64()}, orient="row")
        return of_polls.join(told, on=told.columns, how="anti")


def _conversations(of: Set[Conversation]) -> pl.DataFrame:
    return pl.DataFrame(list(of), schema=_CONVERSATION, orient="row")


def _prepared(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        at=pl.col("minute").dt.epoch("ns") // MINUTE_NS,
        first_ns=pl.col("first_ts").dt.epoch("ns"),
        bad=pl.col("transactions") + pl.col("missed") - pl.col("good"),
    )
