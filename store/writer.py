"""Batches of one replay in; its rows in the store, exactly once.

A replay's id is made from capture, policy, version and the user's rules and indicators; its steps are rows of
`replays`:

    running  rows are being written; a process that dies leaves this, and the next attempt drops them and starts anew
    judged   every row is stored and counted; from here the replay is only carried forward (`store.recovery`)
    done     its alerts are in the queue; the same capture, judged by the same again, adds no row
    failed   given up, with the reason; its rows are dropped, the next attempt starts anew

Only rows of judged and done replays are read.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import pyarrow as pa

from analyzers.findings import Finding, canonical_order
from policy.named_files import NamedFile
from store.client import Store
from store.errors import StoreError, StoreInUse
from store.recovery import finish_replay
from store.rollups import ROLLUPS
from store.rows import fact_table, finding_row, storable, table_of
from store.schema import FACT_TABLES, FINDINGS, POLICIES, REPLAYS, stored_table

#: An insert costs 18 ms whatever its size: rows wait until they are this many.
BATCH_ROWS: Final = 50_000
#: Below the engine's block size (1,048,449 rows): one insert is one block, so one token covers it.
INSERT_ROWS_LIMIT: Final = 500_000


@dataclass(frozen=True, slots=True)
class ReplayStart:
    """What is known before the first packet."""

    site: str
    capture_name: str
    capture_sha256: str
    capture_bytes: int
    policy_name: str
    policy_sha256: str
    policy_text: str
    version: str
    #: Of what was imported for the policy, and of the user's rules and indicators; empty where there is none.
    evidence_sha256: str = ""
    given_sha256: str = ""
    #: The baseline that the capture is compared with; empty: none from outside.
    baseline_sha256: str = ""
    #: The files behind these three, so that whoever replays it again knows which to bring.
    inputs: tuple[NamedFile, ...] = ()

    @property
    def id(self) -> str:
        """The replay's id: 128 bits of SHA-256 over what it is judged by, as 32 hex digits."""
        others = {
            "evidence": self.evidence_sha256,
            "given": self.given_sha256,
            "baseline": self.baseline_sha256,
        }
        return replay_id(self.capture_sha256, self.policy_sha256, self.version, others)


def replay_id(
    capture_sha256: str, policy_sha256: str, version: str, others: Mapping[str, str] | None = None
) -> str:
    """The id of a replay of this capture under this policy, judged by these others (name: SHA-256, or empty)."""
    # Without them the id is what it always was: replays of older stores are found again.
    named = [f"{name} {sha256}" for name, sha256 in (others or {}).items() if sha256]
    key = json.dumps(["replay", capture_sha256, policy_sha256, version, *named], separators=(",", ":"))
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What is known after the last packet. Times are ns since the epoch; coverage is 0 to 1, None unmeasured."""

    first_ns: int
    last_ns: int
    packets: int
    malformed_packets: int
    flows: int
    transactions: int
    findings_sha256: str
    coverage: float | None


_NOTHING_YET: Final = ReplayOutcome(0, 0, 0, 0, 0, 0, "", None)


class ReplayWriter:
    """Writes one replay. Nothing is stored before the first `write`, `finish` or `fail`.

    As a context manager it calls `fail` when the block raises. Of an already stored replay every call does nothing.
    """

    def __init__(self, store: Store, replay: ReplayStart) -> None:
        self._store = store
        self._replay = replay
        self._attempt = uuid.uuid4().hex
        self._known: bool | None = None
        self._step = 0
        self._started_ns = 0
        self._claimed = False
        self._ended = False
        self._waiting: dict[str, list[pa.Table]] = {}
        self._waiting_rows: dict[str, int] = {}
        self._sent_rows = dict.fromkeys(FACT_TABLES, 0)
        self._inserts = 0

    @property
    def id(self) -> str:
        """The replay's id."""
        return self._replay.id

    @property
    def already_stored(self) -> bool:
        """True where this capture was judged under this policy by this version before this writer began."""
        if self._known is None:
            self._known = self._last_row()["state"] in ("judged", "done")
            if self._known:
                finish_replay(self._store, self.id)
        return self._known

    def write(self, table: str, batch: pa.RecordBatch | pa.Table) -> None:
        """Take rows of a stored table (by its declared columns). Stored at 50,000 rows, or by `finish`.

        KeyError where no such table is stored, ValueError where the columns are not its own, StoreError from
        the store; StoreInUse where another process has taken over this replay.
        """
        stored = stored_table(table)
        if self.already_stored:
            return
        if not stored.fact or table == FINDINGS.name:
            raise KeyError(f"{table} is not a table of decoded or measured rows")
        self._begin()
        self._keep(table, fact_table(stored, batch, self._replay.site, self.id))

    def finish(self, findings: Sequence[Finding], outcome: ReplayOutcome) -> None:
        """Store what waits, the findings (one for each id) and the outcome; then raise the alerts."""
        if self.already_stored:
            return
        self._begin()
        unique = {finding.id: finding for finding in sorted(findings, key=canonical_order)}
        if unique:
            rows = table_of(FINDINGS, [finding_row(finding) for finding in unique.values()])
            self._keep(
                FINDINGS.name, fact_table(stored_table(FINDINGS.name), rows, self._replay.site, self.id)
            )
        self._check_ours()
        for table in FACT_TABLES:
            self._send(table)
        with self._store.change_lock:
            self._check_ours()
            self._check_counts()
            self._record("judged", outcome, findings=len(unique))
            self._ended = True
            finish_replay(self._store, self.id)

    def fail(self, reason: str) -> None:
        """Give up: drop the rows of this attempt and record why."""
        if self.already_stored or self._ended:
            return
        self._waiting.clear()
        self._begin()
        self._check_ours()
        self._ended = True
        self._drop_rows()
        self._record("failed", _NOTHING_YET, reason=reason)

    def __enter__(self) -> ReplayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            self.fail(str(error) or type(error).__name__)
        except StoreError as second:
            error.add_note(f"the replay could not be marked as failed either: {second}")

    def _begin(self) -> None:
        if self._ended:
            raise ValueError("this replay's writer has ended: make a new one")
        if self._claimed:
            return
        with self._store.change_lock:
            last = self._last_row()
            self._started_ns = time.time_ns()
            self._step = last["step"]
            self._record("running", _NOTHING_YET)
            self._check_ours()
            if last["step"]:  # an attempt was interrupted, or failed
                self._drop_rows()
            self._store_policy()
            # last: what could not be begun (a full disk) is begun again, not taken for another process's
            self._claimed = True

    def _keep(self, table: str, rows: pa.Table) -> None:
        for start in range(0, rows.num_rows, INSERT_ROWS_LIMIT):
            part = rows.slice(start, INSERT_ROWS_LIMIT)
            if self._waiting_rows.get(table, 0) + part.num_rows > INSERT_ROWS_LIMIT:
                self._check_ours()
                self._send(table)
            self._waiting.setdefault(table, []).append(part)
            self._waiting_rows[table] = self._waiting_rows.get(table, 0) + part.num_rows
            if self._waiting_rows[table] >= BATCH_ROWS:
                self._check_ours()
                self._send(table)

    def _send(self, table: str) -> None:
        parts = self._waiting.pop(table, None)
        if not parts:
            return
        rows = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
        self._waiting_rows[table] = 0
        self._inserts += 1
        # the attempt is part of the token: rows of an interrupted attempt were dropped, their tokens were not
        self._store.insert(table, rows, f"{self.id}:{self._attempt}:{table}:{self._inserts}")
        self._sent_rows[table] += rows.num_rows

    def _check_ours(self) -> None:
        if self._last_row()["attempt"] != self._attempt:
            raise StoreInUse(
                f"replay {self.id} of {self._replay.capture_name} is being written by another process as well: "
                "let that one finish, then run this again"
            )

    def _check_counts(self) -> None:
        counts = " UNION ALL ".join(
            f"SELECT '{table}' AS name, count() AS n FROM {table} WHERE replay = {{replay:String}}"  # noqa: S608
            for table in FACT_TABLES
        )
        for row in self._store.rows(counts, {"replay": self.id}).to_pylist():
            sent = self._sent_rows[row["name"]]
            if row["n"] != sent:
                raise StoreError(
                    f"replay {self.id}: {row['n']} rows of {row['name']} are stored where {sent} were sent; it is "
                    "not marked as stored: run it again"
                )

    def _drop_rows(self) -> None:
        for table in (*FACT_TABLES, *(rollup.name for rollup in ROLLUPS)):
            self._store.command(f"ALTER TABLE {table} DROP PARTITION {{replay:String}}", {"replay": self.id})

    def _last_row(self) -> dict[str, Any]:
        rows = self._store.rows(
            "SELECT step, state, attempt FROM replays WHERE id = {id:String} ORDER BY step DESC LIMIT 1",
            {"id": self.id},
        ).to_pylist()
        return rows[0] if rows else {"step": 0, "state": "", "attempt": ""}

    def _record(self, state: str, outcome: ReplayOutcome, findings: int = 0, reason: str = "") -> None:
        self._step += 1
        row = {
            "id": self.id,
            "step": self._step,
            "attempt": self._attempt,
            "state": state,
            "site": self._replay.site,
            "capture_name": storable(self._replay.capture_name),
            "capture_sha256": self._replay.capture_sha256,
            "capture_bytes": self._replay.capture_bytes,
            "policy_name": storable(self._replay.policy_name),
            "policy_sha256": self._replay.policy_sha256,
            "version": self._replay.version,
            "started_at": self._started_ns,
            "ended_at": None if state == "running" else time.time_ns(),
            "first_ts": outcome.first_ns,
            "last_ts": outcome.last_ns,
            "packets": outcome.packets,
            "malformed_packets": outcome.malformed_packets,
            "flows": outcome.flows,
            "transactions": outcome.transactions,
            "findings": findings,
            "findings_sha256": outcome.findings_sha256,
            "coverage": outcome.coverage,
            "reason": storable(reason),
            "baseline_sha256": self._replay.baseline_sha256,
            "input_roles": [file.role for file in self._replay.inputs],
            "input_names": [storable(file.name) for file in self._replay.inputs],
            "input_sha256s": [file.sha256 for file in self._replay.inputs],
        }
        # two processes that take the same step: one row wins, the other finds out in _check_ours
        self._store.insert(REPLAYS.name, table_of(REPLAYS, [row]), f"{self.id}:step:{self._step}")

    def _store_policy(self) -> None:
        sha256 = self._replay.policy_sha256
        known = self._store.one(
            "SELECT count() AS n FROM policies WHERE sha256 = {sha256:String}", {"sha256": sha256}
        )
        if known:
            return
        row = {
            "sha256": sha256,
            "name": storable(self._replay.policy_name),
            "text": storable(self._replay.policy_text),
            "stored_at": time.time_ns(),
        }
        self._store.insert(POLICIES.name, table_of(POLICIES, [row]), f"policy:{sha256}")
