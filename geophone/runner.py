"""One capture under one policy: decode, judge, measure, store. What `replay` and `demo` run."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from analyzers.baseline.comparing import Baseline
from analyzers.conversations import Conversations
from analyzers.findings import Finding, canonical_line, canonical_order
from analyzers.judging import Judging
from analyzers.polls.watch import Polls
from analyzers.scope_watch import ScopeWatch
from analyzers.sla import Meter, ScopeReport
from analyzers.suppressing import Suppressions, SuppressionUse
from geophone import __version__
from geophone.judged_by import judged_by
from geophone.measuring import minute_notes
from geophone.tally import Tally
from policy.loader import LoadedPolicy
from policy.named_files import NamedFile
from policy.zoning import compile_site
from sensors.capture import Capture
from sensors.engine import EngineLimits, Position, decode
from sensors.records import TABLES
from sensors.whole_file import whole_file
from store.client import Store
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter

if TYPE_CHECKING:
    from analyzers.given import Given

#: Called after each batch with how far the capture is read.
Progress = Callable[[Position], None]

#: Flows of a capture that are remembered although they are over: forgetting some costs a look at all.
_FLOWS_KEPT = 100_000
_STORED = frozenset(table.name for table in TABLES if table.stored)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What came out of one capture."""

    capture: Capture
    summary: Mapping[str, object]
    tally: Tally
    zones: Sequence[ScopeReport]
    conduits: Sequence[ScopeReport]
    packets_outside: int  #: between addresses that are in no zone
    findings: Sequence[Finding]
    first_ns: int
    last_ns: int
    already_stored: bool
    suppressions: Sequence[SuppressionUse]  #: what became of the policy's
    compared: str  #: what was compared with which baseline, in words
    #: sources that a detection forgot for lack of room, by its id
    evicted: Mapping[str, int]
    #: conversations of a minute that were measured together with others, for lack of room
    together: int
    #: requests, marks, silences and conversations' minutes that the watch on polls had no room for
    polls_without_room: int


def canonical_bytes(findings: Sequence[Finding]) -> bytes:
    """The canonical findings file: one line a finding, in canonical order, one for each id."""
    unique = {finding.id: finding for finding in sorted(findings, key=canonical_order)}
    return b"".join(canonical_line(finding) for finding in unique.values())


def replay(
    capture: Capture,
    policy: LoadedPolicy,
    *,
    baseline: Baseline | None = None,
    baseline_file: Path | None = None,
    store: Store | None = None,
    threads: int = 1,
    limits: EngineLimits | None = None,
    progress: Progress | None = None,
    given: Given | None = None,
) -> ReplayResult:
    """Replay one capture under one policy; with a store, keep what was found, exactly once.

    With a baseline the capture is compared with that; without one its first part teaches, if the policy says so.
    `baseline_file` is where the baseline was read from, None where it is the store's. `given`: the user's rules and
    indicators, looked for beside the policy. The result does not depend on `threads`:
    they only let decoding run ahead of the analysis.
    """
    site = compile_site(policy.site, policy.evidence)
    conversations, judging = Conversations(site), Judging(site, policy.sha256, __version__, baseline)
    polls = Polls(site, policy.sha256, __version__)
    scopes = ScopeWatch(site, policy.sha256, __version__)
    looking = given.looking(site, policy.sha256, __version__) if given else None
    meter, tally = Meter(site, minute_notes(site, polls)), Tally()
    with contextlib.ExitStack() as stack:
        inputs = judged_by(policy, given, baseline, baseline_file)
        writer = _writer(store, capture, policy, given, baseline, inputs)
        if writer is not None:
            stack.enter_context(writer)
        keep = writer is not None and not writer.already_stored
        run = stack.enter_context(decode(capture, limits=limits, ahead=threads > 1))
        for batches in run:
            if conversations.kept > _FLOWS_KEPT:
                conversations.forget_ended()
            traffic = conversations.enrich(batches)
            judging.feed(traffic)
            polls.feed(traffic, batches.get("coverage"))
            if looking is not None:
                looking.feed(batches, traffic)
            meter.feed(traffic, batches.get("coverage"))
            tally.add(batches)
            if keep and writer is not None:
                _write(writer, batches)
            if progress is not None:
                progress(run.position())
        summary = run.summary()
        minutes = meter.finish()
        scopes.feed(minutes)
        found = [*judging.finish(capture.sha256), *polls.finish(capture.sha256)]
        found += scopes.finish(*polls.for_scopes(), capture.sha256)
        found += looking.finish(capture.sha256) if looking is not None else []
        suppressions = Suppressions(policy.site)
        findings = judged_with(
            policy.evidence.sha256, suppressions.tagged(sorted(found, key=canonical_order))
        )
        capture.refuse_changed()
        first_ns, last_ns = _span(summary)
        if keep and writer is not None:
            writer.write("sla_minutes", minutes)
            writer.finish(findings, _outcome(tally, findings, first_ns, last_ns))
    return ReplayResult(
        capture=capture,
        summary=summary,
        tally=tally,
        zones=meter.zones(),
        conduits=meter.conduits(),
        packets_outside=meter.packets_outside(),
        findings=findings,
        first_ns=first_ns,
        last_ns=last_ns,
        already_stored=writer is not None and writer.already_stored,
        suppressions=suppressions.uses(),
        compared=judging.memory.words(),
        evicted=judging.evicted,
        together=meter.together,
        polls_without_room=polls.evicted,
    )


def judged_with(evidence_sha256: str, findings: list[Finding]) -> list[Finding]:
    """The findings, each with the hash of what was imported for the policy; as they are where nothing was."""
    if not evidence_sha256:
        return findings
    return [finding.model_copy(update={"evidence_sha256": evidence_sha256}) for finding in findings]


def _writer(
    store: Store | None,
    capture: Capture,
    policy: LoadedPolicy,
    given: Given | None,
    baseline: Baseline | None,
    inputs: tuple[NamedFile, ...],
) -> ReplayWriter | None:
    if store is None:
        return None
    return ReplayWriter(
        store,
        ReplayStart(
            site=policy.site.id,
            capture_name=capture.name,
            capture_sha256=capture.sha256,
            capture_bytes=capture.size_bytes,
            policy_name=policy.name,
            policy_sha256=policy.sha256,
            policy_text=policy.text,
            version=__version__,
            evidence_sha256=policy.evidence.sha256,
            given_sha256=given.sha256 if given else "",
            baseline_sha256=baseline.sha256 if baseline is not None else "",
            inputs=inputs,
        ),
    )


def _write(writer: ReplayWriter, batches: Mapping[str, pa.RecordBatch]) -> None:
    for name, batch in batches.items():
        if name in _STORED:
            writer.write(name, batch)


def _span(summary: Mapping[str, object]) -> tuple[int, int]:
    first, last = summary.get("first_ts_ns"), summary.get("last_ts_ns")
    return (first if isinstance(first, int) else 0), (last if isinstance(last, int) else 0)


def _outcome(tally: Tally, findings: Sequence[Finding], first_ns: int, last_ns: int) -> ReplayOutcome:
    return ReplayOutcome(
        first_ns=first_ns,
        last_ns=last_ns,
        packets=tally.packets,
        malformed_packets=tally.malformed_packets,
        flows=tally.flows,
        transactions=tally.transactions,
        findings_sha256=hashlib.sha256(canonical_bytes(findings)).hexdigest(),
        coverage=tally.coverage,
    )


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write the canonical findings file; whole or not at all. Raises OSError."""
    with whole_file(path) as out:
        out.write(canonical_bytes(findings))
