"""Batches of a session that goes on in; its rows in the store, and read, while it goes on.

A session is a replay that grows: its rows are read from the first `keep` on, its step `judged` is written again with
what is known by then, and the last one makes it `done`. A process that dies leaves what was kept, and the next one
that opens the store makes it `done` (`store.recovery`). A finding is stored once, as it was when it was first seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzers.findings import Finding, canonical_order
from store.client import Store
from store.queries.replays import findings
from store.recovery import finish_replay, raise_alerts
from store.rows import fact_table, finding_row, table_of
from store.schema import FACT_TABLES, FINDINGS, stored_table
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter


class SessionWriter(ReplayWriter):
    """Writes one session; what was kept stays, however it ends."""

    def __init__(self, store: Store, session: ReplayStart) -> None:
        super().__init__(store, session)
        # A session is written as it goes on: that it is there already is no reason to stop.
        self._known = False
        #: When each began that is kept, by its id, but for those of long ago: they do not come again.
        self._kept: dict[str, int] = {}
        #: How many findings are kept.
        self.count = 0

    @property
    def remembered(self) -> int:
        """Of how many findings it is remembered that they are kept."""
        return len(self._kept)

    @property
    def findings(self) -> list[Finding]:
        """What was kept, each as it was when it was first seen, in canonical order: read from the store."""
        return findings(self._store, self.id)

    def forget(self, before_ns: int, but: Iterable[Finding]) -> None:
        """Findings that began before are not given again, but for these."""
        still = {one.id for one in but}
        self._kept = {one: at for one, at in self._kept.items() if at >= before_ns or one in still}

    def new(self, found: Sequence[Finding]) -> list[Finding]:
        """Those that are not kept yet, in canonical order."""
        fresh = {finding.id: finding for finding in found if finding.id not in self._kept}
        return sorted(fresh.values(), key=canonical_order)

    def keep(self, found: Sequence[Finding], outcome: ReplayOutcome) -> None:
        """Store what waits and the findings that are new, and raise their alerts. Raises StoreError."""
        self._begin()
        fresh = self.new(found)
        if fresh:
            rows = table_of(FINDINGS, [finding_row(finding) for finding in fresh])
            self._keep(
                FINDINGS.name, fact_table(stored_table(FINDINGS.name), rows, self._replay.site, self.id)
            )
        self._check_ours()
        for table in FACT_TABLES:
            self._send(table)
        with self._store.change_lock:
            # On a shared server another process may have carried the session's step on.
            self._step = self._last_row()["step"]
            self._check_ours()
            self._kept |= {finding.id: finding.first_ns for finding in fresh}
            self.count += len(fresh)
            self._record("judged", outcome, findings=self.count)
            if fresh:
                raise_alerts(self._store, self.id, [finding.id for finding in fresh])

    def end(self, found: Sequence[Finding], outcome: ReplayOutcome) -> None:
        """Keep the last of it; the session is done. Raises StoreError."""
        self.keep(found, outcome)
        with self._store.change_lock:
            self._check_counts()
            self._ended = True
            finish_replay(self._store, self.id)
