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

from analyzers.crowds import NO_CROWDS, Told, distinct
from analyzers.findings import Evidence, Finding, Operation, finding_id
from analyzers.floods import HEAD, fold_floods, heads
from analyzers.grading import changes, circumstances, confidence_of, points, severity_of
from policy.violations import MINUTE_NS, SUBJECT, merged
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Repeats of a finding join it for this long, from the minute of the first.
WINDOW_MINUTES: Final = 60

#: Of an interface: how long rows of violations are remembered. They come minutes late at most.
REMEMBERED_H: Final = 2

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
class _Past:
    """What is left of violations whose minutes are gone."""

    #: Minutes before this are gone.
    before_ns: int
    #: Those of windows that are still open, with what `_windowed` adds; one row a finding.
    rows: pl.DataFrame
    #: Columns of `floods.HEAD`.
    heads: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of the violations of one kind when they were last reported."""

    violations: pl.DataFrame
    crowds: pl.DataFrame
    past: _Past | None
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
        #: by kind and what it was judged by
        self._past: dict[tuple[str, ...], _Past] = {}

    def findings(
        self,
        kind: FindingKind,
        violations: pl.DataFrame | Told,
        capture_sha256: str,
        *,
        judged_by: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Columns of VIOLATION, one row a subject and minute, in; the findings out, in no order.

        Or `Told`: those that are told apart, and the sums of all others.

        `judged_by`: what the kind rests on beside policy and version, such as the text of the user's rule; with
        another text it is another finding.

        An interface asks again with every batch. What has not changed since is not made again: a finding follows
        from its kind and its row alone.
        """
        violations, crowds = _parts(violations)
        past = self._past.get((kind.id, *judged_by))
        if violations.is_empty() and crowds.is_empty() and (past is None or past.rows.is_empty()):
            return []
        basis = (kind.id, *judged_by, *_compared_with(kind))
        last = self._made.get(basis)
        if (
            last is not None
            and last.violations is violations
            and last.crowds is crowds
            and last.past is past
            and last.capture_sha256 == capture_sha256
        ):
            return last.findings
        known = last.by_key if last is not None and last.capture_sha256 == capture_sha256 else {}
        by_key: dict[tuple[Any, ...], tuple[Mapping[str, Any], Finding]] = {}
        for row in self._rows(violations, crowds, past):
            key = tuple(row[name] for name in _KEYS)
            made = known.get(key)
            by_key[key] = (
                made
                if made is not None and made[0] == row
                else (row, self._finding(kind, row, capture_sha256, judged_by))
            )
        found = [finding for _, finding in by_key.values()]
        self._made[basis] = _Made(violations, crowds, past, capture_sha256, by_key, found)
        return found

    @property
    def kept(self) -> int:
        """Findings and rows of open windows held in memory."""
        made = sum(len(one.by_key) for one in self._made.values())
        return made + sum(one.rows.height + one.heads.height for one in self._past.values())

    def settle(
        self,
        kind: FindingKind,
        violations: pl.DataFrame | Told,
        before_ns: int,
        *,
        judged_by: tuple[str, ...] = (),
    ) -> None:
        """From now on whoever gives the violations may leave out minutes before `before_ns`, a minute's start.

        Findings whose window ended before it are not made any more, all others as if the minutes were still there.
        To be called with all violations, before any is left out. Nothing new may come of those minutes.
        """
        violations, crowds = _parts(violations)
        basis = (kind.id, *judged_by)
        past = self._past.get(basis)
        if violations.is_empty() and crowds.is_empty() and past is None:
            return
        windowed = self._windowed(violations, crowds, past)
        is_open = pl.col("window") + WINDOW_MINUTES * MINUTE_NS > before_ns
        gone = windowed.filter((pl.col("minute") < before_ns) & is_open)
        rows = merged(gone, _KEYS, extra=(pl.col("points").max(), distinct("subjects")))
        known = heads(self._marked(violations, past), past.heads if past is not None else None)
        self._past[basis] = _Past(before_ns, rows.select(windowed.columns), known)

    def _rows(
        self, violations: pl.DataFrame, crowds: pl.DataFrame, past: _Past | None
    ) -> list[dict[str, Any]]:
        """Violations by subject and minute in; one row a finding out, with how many `subjects` it is about."""
        return merged(
            self._windowed(violations, crowds, past),
            _KEYS,
            extra=(pl.col("points").max(), pl.col("subjects").explode().n_unique()),
        ).to_dicts()

    def _windowed(self, violations: pl.DataFrame, crowds: pl.DataFrame, past: _Past | None) -> pl.DataFrame:
        """Violations, and what is left of those that are gone, with the finding that each is of."""
        marked = self._marked(violations, past)
        if past is None:
            return _with_windows(fold_floods(marked, crowds), pl.DataFrame(schema=_ANCHOR))
        crowds = crowds.filter(pl.col("minute") >= past.before_ns)
        anchors = past.rows.group_by(_SAME).agg(pl.col("window").max())
        windowed = _with_windows(fold_floods(marked, crowds, past.heads), anchors.select(*_ANCHOR))
        return pl.concat([past.rows, windowed.select(past.rows.columns)])

    def _marked(self, violations: pl.DataFrame, past: _Past | None) -> pl.DataFrame:
        """Violations that are not gone, with `points` and `change`."""
        if past is not None:
            violations = violations.filter(pl.col("minute") >= past.before_ns)
        return violations.with_columns(
            points(self._site, violations).alias("points"),
            changes(self._site, violations).alias("change"),
        )

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


def _parts(violations: pl.DataFrame | Told) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Those that are told apart, and the sums of all others."""
    if isinstance(violations, Told):
        return violations.apart, violations.crowds
    return violations, NO_CROWDS


def hours_before(now_ns: int, hours: int) -> int:
    """The start of the minute so many hours before."""
    return (now_ns // MINUTE_NS - 60 * hours) * MINUTE_NS


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


_SAME: Final = [name for name in _KEYS if name != "window"]
_ANCHOR: Final = {**{name: HEAD.get(name, pl.String()) for name in _SAME}, "window": pl.Int64()}


def _with_windows(violations: pl.DataFrame, anchors: pl.DataFrame) -> pl.DataFrame:
    """Add `window`: the minute in which the finding began that a row joins, by subject and change.

    `anchors`: the last one of each subject that is known already.
    """
    by_subject = (
        violations.sort("minute")
        .group_by(_SAME, maintain_order=True)
        .agg(pl.col("minute").unique(maintain_order=True))
        .join(anchors, on=_SAME, how="left", maintain_order="left")
    )
    windows = []
    for minutes, known in by_subject.select("minute", "window").iter_rows():
        anchor, each = known, []
        for minute in minutes:
            if anchor is None or minute >= anchor + WINDOW_MINUTES * MINUTE_NS:
                anchor = minute
            each.append(anchor)
        windows.append(each)
    table = by_subject.with_columns(pl.Series("window", windows, dtype=pl.List(pl.Int64))).explode(
        "minute", "window"
    )
    return violations.join(table, on=[*_SAME, "minute"], how="left")
