"""What was found in one capture under two policies in; what only one of them finds, or grades otherwise, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from analyzers.findings import Finding

#: What may differ of a finding that both have.
_GRADES: Final = (
    "severity",
    "confidence",
    "conduit",
    "nearest_rule",
    "change",
    "suppression",
    "count",
    "why",
)

_Subject = tuple[str, str, str, str, int, int]


@dataclass(frozen=True, slots=True)
class VerdictChanges:
    """Findings that are gone, that are new, and pairs that say something else, each by time."""

    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    changed: tuple[tuple[Finding, Finding], ...]
    same: int


def verdict_changes(before: Iterable[Finding], after: Iterable[Finding]) -> VerdictChanges:
    """Findings under one policy and under another; a finding's id does not tell, for the policy is part of it."""
    old, new = _by_subject(before), _by_subject(after)
    gone, fresh, changed, same = [], [], [], 0
    for subject in sorted(old.keys() | new.keys(), key=lambda one: (one[-1], one)):
        ones, others = old.get(subject, []), new.get(subject, [])
        for one, other in zip(ones, others, strict=False):
            if graded_otherwise(one, other):
                changed.append((one, other))
            else:
                same += 1
        gone += ones[len(others) :]
        fresh += others[len(ones) :]
    return VerdictChanges(tuple(gone), tuple(fresh), tuple(changed), same)


def graded_otherwise(one: Finding, other: Finding) -> list[str]:
    """The fields that differ; `why` alone is no change of the verdict."""
    different = [name for name in _GRADES if getattr(one, name) != getattr(other, name)]
    return [] if different == ["why"] else [name for name in different if name != "why"]


def _by_subject(findings: Iterable[Finding]) -> dict[_Subject, list[Finding]]:
    found: defaultdict[_Subject, list[Finding]] = defaultdict(list)
    for one in sorted(findings, key=lambda one: (one.first_ns, one.kind, one.title, one.why)):
        found[one.kind, one.title, one.src_ip, one.dst_ip, one.dst_port, one.first_ns].append(one)
    return found
