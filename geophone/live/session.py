"""Batches of an interface in; judged, measured and stored while they come. What `geophone run` does with each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast

import polars as pl
import pyarrow as pa

from analyzers.baseline.comparing import Baseline
from analyzers.conversations import Conversations
from analyzers.findings import Finding
from analyzers.judging import Judging
from analyzers.minutes import Minutes
from analyzers.polls.waits import Waits
from analyzers.polls.watch import Polls
from analyzers.scope_watch import KEEP_MINUTES, ScopeWatch
from analyzers.suppressing import Suppressions, SuppressionUse
from geophone import __version__
from geophone.judged_by import judged_by
from geophone.live.canonical import CanonicalSum
from geophone.measuring import minute_notes
from geophone.runner import judged_with
from geophone.tally import Tally
from policy.loader import LoadedPolicy
from policy.zoning import compile_site
from sensors.engine import Batches
from sensors.records import TABLES
from store.baselines import keep_baseline
from store.client import Store
from store.live import SessionWriter
from store.writer import ReplayOutcome, ReplayStart

if TYPE_CHECKING:
    from analyzers.given import Given

#: Rows without a finding wait for so long: an insert costs the same however many it holds.
KEEP_S: Final = 10.0

#: So often what no later row can change is forgotten: ten minutes of the packets' time.
_SETTLE_NS: Final = 600_000_000_000

#: Findings are recognised for a week: nothing that is remembered for a day makes one of it anew.
_REMEMBERED_NS: Final = 7 * 86_400_000_000_000

_STORED: Final = frozenset(table.name for table in TABLES if table.stored)


@dataclass(frozen=True, slots=True)
class Listened:
    """What a session listens to, and since when (ns since the epoch)."""

    interface: str
    started_ns: int

    @property
    def name(self) -> str:
        """How people know it."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started_ns // 1_000_000_000))
        return f"live {self.interface} {at}"

    @property
    def sha256(self) -> str:
        """What stands where a capture has the hash of its bytes: no file was read, so none can be named."""
        key = json.dumps(["live session", self.interface, self.started_ns], separators=(",", ":"))
        return hashlib.sha256(key.encode()).hexdigest()


class Session:
    """One listening to one interface under one policy."""

    def __init__(
        self,
        listened: Listened,
        policy: LoadedPolicy,
        store: Store,
        given: Given | None = None,
        baseline: Baseline | None = None,
        baseline_file: Path | None = None,
        waits: Waits | None = None,
    ) -> None:
        """`waits`: how long the decoder of the batches waits for answers."""
        site = compile_site(policy.site, policy.evidence)
        self._looking = given.looking(site, policy.sha256, __version__) if given else None
        self._evidence_sha256 = policy.evidence.sha256
        self._listened = listened
        self._conversations = Conversations(site)
        self._judging = Judging(site, policy.sha256, __version__, baseline)
        self._polls = Polls(site, policy.sha256, __version__, waits=waits)
        self._scopes = ScopeWatch(site, policy.sha256, __version__, keep_minutes=KEEP_MINUTES)
        self._of_scopes: list[Finding] = []
        self._minutes = Minutes(site, minute_notes(site, self._polls))
        self._tally = Tally()
        self._suppressions = Suppressions(policy.site)
        self._packets = self._first_ns = self._last_ns = 0
        self._settled_ns = 0
        self._kept_s = time.monotonic()
        self._store, self._taught = store, False
        self._found: list[Finding] = []
        self._writer = SessionWriter(
            store,
            ReplayStart(
                site=policy.site.id,
                capture_name=listened.name,
                capture_sha256=listened.sha256,
                capture_bytes=0,
                policy_name=policy.name,
                policy_sha256=policy.sha256,
                policy_text=policy.text,
                version=__version__,
                evidence_sha256=policy.evidence.sha256,
                given_sha256=given.sha256 if given else "",
                baseline_sha256=baseline.sha256 if baseline is not None else "",
                inputs=judged_by(policy, given, baseline, baseline_file),
            ),
        )
        self._sum = CanonicalSum(lambda: self._writer.findings)

    def __enter__(self) -> Self:
        self._writer.keep((), self._outcome(()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()

    @property
    def compared(self) -> str:
        """What is compared with which baseline, in words."""
        return self._judging.memory.words()

    @property
    def tally(self) -> Tally:
        """What was seen so far."""
        return self._tally

    @property
    def evicted(self) -> Mapping[str, int]:
        """Sources that a detection forgot for lack of room, by its id."""
        return self._judging.evicted

    @property
    def polls_without_room(self) -> int:
        """What the watch on polls had no room for."""
        return self._polls.evicted

    @property
    def findings(self) -> list[Finding]:
        """What was found and stored so far, in canonical order: read from the store."""
        return self._writer.findings

    @property
    def finding_count(self) -> int:
        """How many findings are stored."""
        return self._writer.count

    @property
    def kept(self) -> Mapping[str, int]:
        """What is held in memory of the past, by what it is: bounded however long the session goes on."""
        return {
            "flows": self._conversations.kept,
            "findings": self._writer.remembered,
            "findings not hashed": self._sum.kept,
            **self._judging.kept,
        }

    @property
    def suppressions(self) -> list[SuppressionUse]:
        """What became of the policy's suppressions so far."""
        return self._suppressions.uses()

    def feed(self, batches: Batches, packets: int) -> list[Finding]:
        """Take what came; the findings that are new with it, which are stored already. Raises StoreError.

        `packets` is what the interface has counted up to now: the rows tell it when a minute is over.
        """
        self._packets = packets
        traffic = self._conversations.enrich(batches)
        self._judging.feed(traffic)
        self._polls.feed(traffic, batches.get("coverage"))
        if self._looking is not None:
            self._looking.feed(batches, traffic)
        self._tally.add(batches)
        self._see_times(batches)
        for name, batch in batches.items():
            if name in _STORED:
                self._writer.write(name, batch)
        self._measure(self._minutes.feed(traffic, batches.get("coverage")))
        self._keep_baseline()
        found = self._new() if batches else []
        if found or time.monotonic() - self._kept_s >= KEEP_S:
            self._keep(found)
        self._settle(traffic.coverage)
        return found

    def _settle(self, coverage: pl.DataFrame) -> None:
        """Now and then what no later row can change is forgotten: a session may have no end."""
        # By the clock of the packets, and by its latest batch: a clock that was set back goes on from there.
        now_ns = cast("int | None", coverage["minute"].dt.epoch("ns").max())
        if now_ns is None or abs(now_ns - self._settled_ns) < _SETTLE_NS:
            return
        self._settled_ns = now_ns
        self._conversations.forget_ended()
        self._judging.settle(now_ns)
        if self._looking is not None:
            self._looking.settle(now_ns)
        self._sum.settle(now_ns - _REMEMBERED_NS)
        self._writer.forget(now_ns - _REMEMBERED_NS, self._found)

    def _end(self) -> None:
        """The interface is no longer listened to: what is left is stored."""
        self._measure(self._minutes.finish())
        # Every minute's coverage has come: the interface may have counted packets of the next session already.
        self._packets = self._tally.packets or self._packets
        found = self._new(ended=True)
        self._writer.end(found, self._outcome(found))

    def _measure(self, minutes: Iterable[pa.RecordBatch]) -> None:
        """Keep the minutes that are over, and see what they show of whole scopes."""
        measured = list(minutes)
        for rows in measured:
            self._writer.write("sla_minutes", rows)
            self._scopes.feed(rows)
        if measured:
            of_polls = self._polls.for_scopes(self._scopes.remembered_since_ns)
            self._of_scopes = self._scopes.finish(*of_polls, self._listened.sha256)

    def _new(self, *, ended: bool = False) -> list[Finding]:
        """What was not told yet, tagged where the policy suppresses it."""
        self._found = self._all(ended=ended)
        new = self._suppressions.tagged(self._writer.new(self._found))
        return judged_with(self._evidence_sha256, new)

    def _all(self, *, ended: bool = False) -> list[Finding]:
        """Everything that was found so far and is to be told, but for what is long over."""
        sha256 = self._listened.sha256
        polls = self._polls.so_far(sha256, ended=ended)
        given = self._looking.finish(sha256) if self._looking is not None else []
        return [*self._judging.finish(sha256), *polls, *self._of_scopes, *given]

    def _keep(self, found: list[Finding]) -> None:
        self._writer.keep(found, self._outcome(found))
        self._kept_s = time.monotonic()

    def _keep_baseline(self) -> None:
        """Once learning is over: the next session goes on with what was learned."""
        if not self._taught and (baseline := self._judging.memory.taught) is not None:
            keep_baseline(self._store, baseline)
            self._taught = True

    def _see_times(self, batches: Batches) -> None:
        for name in ("flow_starts", "flow_minutes", "flows"):
            for column in ("ts", "first_ts", "last_ts"):
                if (rows := batches.get(name)) is None or column not in rows.schema.names:
                    continue
                times = pl.Series(rows.column(column)).dt.epoch("ns")
                first_ns, last_ns = int(times.min() or 0), int(times.max() or 0)  # type: ignore[arg-type]
                self._first_ns = min(filter(None, (self._first_ns, first_ns)), default=0)
                self._last_ns = max(self._last_ns, last_ns)

    def _outcome(self, found: Sequence[Finding]) -> ReplayOutcome:
        tally = self._tally
        self._sum.add(self._writer.new(found))
        return ReplayOutcome(
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            packets=max(self._packets, tally.packets),
            malformed_packets=tally.malformed_packets,
            flows=tally.flows,
            transactions=tally.transactions,
            findings_sha256=self._sum.hexdigest(),
            coverage=tally.coverage,
        )
