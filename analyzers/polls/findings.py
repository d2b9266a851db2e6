"""Outages and flapping in; findings out: how grave, how sure, why, and where to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analyzers.findings import (
    EXAMPLES_LIMIT,
    Confidence,
    Evidence,
    Finding,
    Operation,
    Severity,
    finding_id,
)
from analyzers.polls import words
from analyzers.polls.joining import Outage, Scope
from analyzers.polls.judging import Judgement
from analyzers.polls.outages import Flapping, Run
from analyzers.polls.relation import Subject
from analyzers.polls.slots import Fate
from analyzers.sla_kinds import CLASS_SEVERITY, FLAPPING, OUTAGE, SlaKind
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: More slots that were not judged than this share, and the confidence is low.
_UNKNOWN_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Context:
    """What all findings of one run share."""

    site: CompiledSite
    policy_sha256: str
    version: str


def findings_of(judgement: Judgement, context: Context, capture_sha256: str) -> Iterator[Finding]:
    """One finding an outage, one a time of flapping; in no order."""
    for outage in judgement.outages:
        yield _outage(outage, context, capture_sha256)
    for flapping in judgement.flapping:
        yield _flapping(flapping, context, capture_sha256)


def _outage(outage: Outage, context: Context, capture_sha256: str) -> Finding:
    site, first = context.site, outage.first
    change = _change(site, outage.runs, outage.until_ns)
    severity = _severity(site, outage.runs) + (outage.scope is Scope.CONDUIT)
    if outage.only_missed and not any(run.relation.declared for run in outage.runs):
        severity -= 1  # nothing failed that anybody asked for
    return _finding(
        context,
        OUTAGE,
        outage.runs,
        title=words.outage_title(outage),
        why=words.of_outage(site, outage, change),
        severity=severity - bool(change),
        subject=(outage.scope, *_subject(outage.scope, first)),
        key_ns=min(run.key_ns for run in outage.runs),
        until_ns=outage.until_ns,
        change=change,
        capture_sha256=capture_sha256,
    )


def _flapping(flapping: Flapping, context: Context, capture_sha256: str) -> Finding:
    first = flapping.runs[0]
    change = _change(context.site, flapping.runs, flapping.until_ns)
    subject = first.relation.subject
    return _finding(
        context,
        FLAPPING,
        flapping.runs,
        title=FLAPPING.title,
        why=words.of_flapping(context.site, flapping, change),
        severity=_severity(context.site, flapping.runs) - 1 - bool(change),
        subject=("poll", *_subject(Scope.CONVERSATION, first), subject.service, subject.what),
        key_ns=first.key_ns,
        until_ns=flapping.until_ns,
        change=change,
        capture_sha256=capture_sha256,
    )


def _finding(
    context: Context,
    kind: SlaKind,
    runs: Sequence[Run],
    *,
    title: str,
    why: str,
    severity: int,
    subject: tuple[str, ...],
    key_ns: int,
    until_ns: int,
    change: str,
    capture_sha256: str,
) -> Finding:
    site, first = context.site, runs[0].relation.subject
    client, server = site.asset_of(first.client_ip), site.asset_of(first.server_ip)
    return Finding(
        id=finding_id(site.site.id, kind.id, subject, key_ns, context.policy_sha256),
        kind=kind.id,
        title=title,
        why=why,
        severity=Severity(min(max(severity, Severity.INFO), Severity.CRITICAL)),
        confidence=_confidence(runs),
        site=site.site.id,
        src_zone=first.client_zone,
        dst_zone=first.server_zone,
        src_ip=address_text(first.client_ip),
        dst_ip=address_text(first.server_ip),
        dst_port=first.server_port,
        src_asset=client.id if client else "",
        dst_asset=server.id if server else "",
        service=first.service,
        conduit=first.conduit,
        references=kind.references,
        change=change,
        count=sum(run.bad for run in runs),
        first_ns=runs[0].start_ns,
        last_ns=until_ns,
        policy_sha256=context.policy_sha256,
        version=context.version,
        evidence=Evidence(
            capture_sha256=capture_sha256,
            first_ns=runs[0].start_ns,
            last_ns=until_ns,
            operations=_operations(runs),
        ),
    )


def _subject(scope: Scope, run: Run) -> tuple[str, ...]:
    subject = run.relation.subject
    client, server = address_text(subject.client_ip), address_text(subject.server_ip)
    if scope is Scope.CONDUIT:
        return (subject.conduit,)
    if scope is Scope.SERVER:
        return (server,)
    if scope is Scope.CLIENT:
        return (client,)
    return client, server, str(subject.ip_proto), str(subject.server_port)


def class_of(site: CompiledSite, subject: Subject) -> str:
    """The class that a poll is held to: the asked asset's own, else its conduit's, else its zone's."""
    asset = site.asset_of(subject.server_ip)
    if asset is not None and asset.criticality:
        return asset.criticality
    target = site.conduit_targets.get(subject.conduit) or site.zone_targets.get(subject.server_zone)
    return target.sla_class if target else "C4"


def _severity(site: CompiledSite, runs: Sequence[Run]) -> int:
    subjects = [run.relation.subject for run in runs]
    safety = any((asset := site.asset_of(one.server_ip)) and asset.role == "safety" for one in subjects)
    return max(CLASS_SEVERITY[class_of(site, one)] for one in subjects) + safety


def _confidence(runs: Sequence[Run]) -> Confidence:
    """High where what was asked came to nothing; medium where only silence tells; low where much was not judged."""
    bad, unknown = sum(run.bad for run in runs), sum(run.unknown for run in runs)
    if unknown > _UNKNOWN_SHARE * (bad + unknown):
        return Confidence.LOW
    guessed = all(run.relation.subject.role_source in ("port", "first_seen") for run in runs)
    silence = sum(run.fates[Fate.MISSED] for run in runs if run.only_missed and not run.relation.declared)
    return Confidence.MEDIUM if guessed or 2 * silence > bad else Confidence.HIGH


def _change(site: CompiledSite, runs: Sequence[Run], until_ns: int) -> str:
    """The change window that all of it lies in, of one of the devices; "" for none."""
    start_ns = runs[0].start_ns
    for run in runs:
        for address in (run.relation.subject.server_ip, run.relation.subject.client_ip):
            asset = site.asset_of(address)
            for change in site.changes_by_asset.get(asset.id, ()) if asset else ():
                if change.start_ns <= start_ns and until_ns < change.end_ns:
                    return change.ref
    return ""


def _operations(runs: Sequence[Run]) -> tuple[Operation, ...]:
    """The last good answer before, the first bad requests, the first connection tried, the first good answer after."""
    told: dict[int, Operation] = {}
    room = Counter[int]()
    for number, run in enumerate(runs):
        for operation in words.operations_of(run):
            # One run of many must not take the room of the others' beginnings.
            has_room = len(told) < EXAMPLES_LIMIT and room[number] < max(EXAMPLES_LIMIT // len(runs), 1)
            if has_room and operation.frame not in told:
                told[operation.frame] = operation
                room[number] += 1
    return tuple(sorted(told.values(), key=lambda one: (one.frame, one.ts_ns, one.text)))
