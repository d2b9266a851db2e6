"""Violations by subject and minute in; findings out. The one path of whatever finds something.

A policy check, a detection, a measurement that is held to its target: each says what was violated, by whom and
when, as rows of `policy.violations.VIOLATION`. From there on all go the same way: floods are folded, what was
planned is tagged, repeats within the window join, and each is graded and explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import polars as pl

from analyzers.findings import Evidence, Finding, Operation, finding_id
from analyzers.floods import fold_floods
from analyzers.grading import changes, circumstances, confidence_of, points, severity_of
from policy.violations import MINUTE_NS, SUBJECT, merged
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Repeats of a finding join it for this long, from the minute of the first.
WINDOW_MINUTES: Final = 60

_KEYS: Final = (*SUBJECT, "change", "folded", "window")


class FindingKind(Protocol):
    """What all findings of one kind have in common: a policy check is one, so is a detection."""

    @property
    def id(self) -> str:
        """The kind's id, e.g. SEG-05."""

    @property
    def base_severity(self) -> int:
        """The severity before target, success and changes are considered."""

    @property
    def references(self) -> tuple[str, ...]:
        """Clauses of standards."""

    @property
    def techniques(self) -> tuple[str, ...]:
        """ATT&CK for ICS technique ids."""

    @property
    def possible_techniques(self) -> tuple[str, ...]:
        """Techniques that a finding may be, and as well may not be."""

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Finishes "the network shows…"; `violation` is a row of VIOLATION or several added."""

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Why this is a finding, in whole sentences."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of the violations of one kind when they were last reported."""

    violations: pl.DataFrame
    capture_sha256: str
    #: by the columns that tell findings of a kind apart
    by_key: Mapping[tuple[Any, ...], tuple[Mapping[str, Any], Finding]]
    findings: list[Finding]


class Reporter:
    """Makes findings of what was violated under one policy."""

    def __init__(self, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._site = site
        self._policy_sha256 = policy_sha256
        self._version = version
        #: by kind, what it was judged by and what it was compared with
        self._made: dict[tuple[str, ...], _Made] = {}

    def findings(
        self,
        kind: FindingKind,
        violations: pl.DataFrame,
        capture_sha256: str,
        *,
        judged_by: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Columns of VIOLATION, one row a subject and minute, in; the findings out, in no order.

        `judged_by`: what the kind rests on beside policy and version, such as the text of the user's rule; with
        another text it is another finding.

        An interface asks again with every batch. What has not changed since is not made again: a finding follows
        from its kind and its row alone.
        """
        if violations.is_empty():
            return []
        basis = (kind.id, *judged_by, *_compared_with(kind))
        last = self._made.get(basis)
        if last is not None and last.violations is violations and last.capture_sha256 == capture_sha256:
            return last.findings
        known = last.by_key if last is not None and last.capture_sha256 == capture_sha256 else {}
        by_key: dict[tuple[Any, ...], tuple[Mapping[str, Any], Finding]] = {}
        for row in self._rows(violations):
            key = tuple(row[name] for name in _KEYS)
            made = known.get(key)
            by_key[key] = (
                made
                if made is not None and made[0] == row
                else (row, self._finding(kind, row, capture_sha256, judged_by))
            )
        found = [finding for _, finding in by_key.values()]
        self._made[basis] = _Made(violations, capture_sha256, by_key, found)
        return found

    def _rows(self, violations: pl.DataFrame) -> list[dict[str, Any]]:
        """Violations by subject and minute in; one row a finding out."""
        if violations.is_empty():
            return []
        marked = violations.with_columns(
            points(self._site, violations).alias("points"),
            changes(self._site, violations).alias("change"),
        )
        windowed = _with_windows(fold_floods(marked))
        return merged(
            windowed, _KEYS, extra=(pl.col("points").max(), pl.col("subject").n_unique().alias("subjects"))
        ).to_dicts()

    def _finding(
        self, kind: FindingKind, row: Mapping[str, Any], capture_sha256: str, judged_by: tuple[str, ...]
    ) -> Finding:
        site = self._site
        src, dst = site.asset_of(row["client_ip"]), site.asset_of(row["server_ip"])
        src_ip, dst_ip = _shown(row["client_ip"]), _shown(row["server_ip"])
        subject = (src_ip, dst_ip, str(row["ip_proto"]), str(row["server_port"]), row["what"], row["change"])
        examples = sorted((e["frame"], e["ts_ns"], e["text"]) for e in row["examples"])
        return Finding(
            id=finding_id(
                site.site.id,
                kind.id,
                (*subject, row["folded"], *judged_by),
                row["first_ns"],
                self._policy_sha256,
            ),
            kind=kind.id,
            title=kind.title_of(row),
            why=" ".join([kind.why(site, row), *circumstances(site, row, *_doubt_of(kind))]),
            severity=severity_of(kind.base_severity, row),
            confidence=confidence_of(row),
            site=site.site.id,
            src_zone=row["client_zone"],
            dst_zone=row["server_zone"],
            src_ip=src_ip,
            dst_ip=dst_ip,
            dst_port=row["server_port"],
            src_asset=src.id if src else "",
            dst_asset=dst.id if dst else "",
            service=row["decoded_service"] or row["hinted_service"],
            conduit=row["conduit"],
            nearest_rule=row["examples"][0]["nearest"],
            references=kind.references,
            techniques=kind.techniques,
            possible_techniques=kind.possible_techniques,
            change=row["change"],
            count=row["count"],
            first_ns=row["first_ns"],
            last_ns=row["last_ns"],
            policy_sha256=self._policy_sha256,
            version=self._version,
            evidence=Evidence(
                capture_sha256=capture_sha256,
                first_ns=row["first_ns"],
                last_ns=row["last_ns"],
                operations=tuple(
                    Operation(frame=frame, ts_ns=ts_ns, text=text) for frame, ts_ns, text in examples
                ),
            ),
        )


def _doubt_of(kind: FindingKind) -> tuple[str, ...]:
    """Why a finding of this kind may be less than sure, where it is not for the kind's evidence alone."""
    doubt = getattr(kind, "doubt", "")
    return (doubt,) if doubt else ()


def _compared_with(kind: FindingKind) -> tuple[str, ...]:
    """What the words of a finding of this kind rest on beside its row: the baseline, which may still be learned."""
    return tuple(getattr(kind, "compared_with", ()))


def _shown(address: bytes) -> str:
    """An address as text; the unspecified one stands for many, or for nobody known, and is empty."""
    return address_text(address) if any(address) else ""


def _with_windows(violations: pl.DataFrame) -> pl.DataFrame:
    """Add `window`: the minute in which the finding began that a row joins, by subject and change."""
    keys = [name for name in _KEYS if name != "window"]
    by_subject = (
        violations.sort("minute")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("minute").unique(maintain_order=True))
    )
    windows = []
    for minutes in by_subject["minute"].to_list():
        anchor, anchors = None, []
        for minute in minutes:
            if anchor is None or minute >= anchor + WINDOW_MINUTES * MINUTE_NS:
                anchor = minute
            anchors.append(anchor)
        windows.append(anchors)
    table = by_subject.with_columns(pl.Series("window", windows, dtype=pl.List(pl.Int64))).explode(
        "minute", "window"
    )
    return violations.join(table, on=[*keys, "minute"], how="left")
