"""Traffic in; what violates the policy out, as findings.

The findings depend on the rows only, not on how they are cut into batches: violations are kept by subject and minute,
which can be added in any order, and everything else happens once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.findings import (
    Confidence,
    Evidence,
    Finding,
    Operation,
    Severity,
    canonical_order,
    finding_id,
)
from analyzers.floods import fold_floods
from policy.checks import CHECKS
from policy.checks.base import Check
from policy.judged import judge
from policy.model import ChangeWindow
from policy.traffic import Traffic
from policy.violations import HIGH, MEDIUM, MINUTE_NS, SUBJECT, VIOLATION, merged
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Repeats of a finding join it for this long, from the minute of the first.
WINDOW_MINUTES: Final = 60
#: Rows gathered before they are added up: memory against time.
_PENDING_LIMIT: Final = 50_000

_CONFIDENCE: Final = {HIGH: Confidence.HIGH, MEDIUM: Confidence.MEDIUM}
_KEYS: Final = (*SUBJECT, "change", "folded", "window")


class Conformance:
    """Runs every policy check on the batches of one capture; grows with subjects and minutes, not with rows."""

    def __init__(self, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._site = site
        self._policy_sha256 = policy_sha256
        self._version = version
        self._gathered = {check.id: _Gathered() for check in CHECKS}

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        judged = judge(self._site, traffic)
        for check in CHECKS:
            self._gathered[check.id].add(check.violations(self._site, judged))

    def finish(self, capture_sha256: str) -> list[Finding]:
        """Every finding of the capture, in canonical order."""
        findings = [
            self._finding(check, row, capture_sha256)
            for check in CHECKS
            for row in self._findings_of(self._gathered[check.id].all())
        ]
        return sorted(findings, key=canonical_order)

    def _findings_of(self, violations: pl.DataFrame) -> list[dict[str, Any]]:
        """Violations by subject and minute in; one row a finding out."""
        if violations.is_empty():
            return []
        marked = violations.with_columns(
            _points(self._site, violations).alias("points"),
            _changes(self._site, violations).alias("change"),
        )
        windowed = _with_windows(fold_floods(marked))
        return merged(
            windowed, _KEYS, extra=(pl.col("points").max(), pl.col("subject").n_unique().alias("subjects"))
        ).to_dicts()

    def _finding(self, check: Check, row: Mapping[str, Any], capture_sha256: str) -> Finding:
        site = self._site
        src, dst = site.asset_of(row["client_ip"]), site.asset_of(row["server_ip"])
        src_ip, dst_ip = address_text(row["client_ip"]), address_text(row["server_ip"])
        severity = check.base_severity + row["points"] - bool(row["change"])
        subject = (src_ip, dst_ip, str(row["ip_proto"]), str(row["server_port"]), row["what"], row["change"])
        examples = sorted((e["frame"], e["ts_ns"], e["text"]) for e in row["examples"])
        return Finding(
            id=finding_id(
                site.site.id, check.id, (*subject, row["folded"]), row["first_ns"], self._policy_sha256
            ),
            kind=check.id,
            title=check.title_of(row),
            why=" ".join([check.why(site, row), *_circumstances(site, row)]),
            severity=Severity(min(max(severity, Severity.INFO), Severity.CRITICAL)),
            confidence=_CONFIDENCE.get(row["confidence_rank"], Confidence.LOW),
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
            references=check.references,
            techniques=check.techniques,
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


class _Gathered:
    """The violations of one check, added up from time to time."""

    def __init__(self) -> None:
        self._total = pl.DataFrame(schema=VIOLATION)
        self._pending: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, violations: pl.DataFrame) -> None:
        if violations.is_empty():
            return
        self._pending.append(violations.select(*VIOLATION))
        self._rows += violations.height
        # As much again as there is already: each row is added up a bounded number of times.
        if self._rows > max(_PENDING_LIMIT, self._total.height):
            self.all()

    def all(self) -> pl.DataFrame:
        if self._pending:
            self._total = merged(pl.concat([self._total, *self._pending])).select(*VIOLATION)
            self._pending, self._rows = [], 0
        return self._total


def _points(site: CompiledSite, violations: pl.DataFrame) -> pl.Series:
    """What is added to the base severity: 1 for a target that is C1 or safety, 1 for what went through."""
    distinct = violations["server_ip"].unique()
    graver = [_is_critical(site, address) for address in distinct]
    table = pl.DataFrame({"server_ip": distinct, "critical": pl.Series(graver, dtype=pl.Boolean)})
    joined = violations.select("server_ip", "confirmed").join(
        table, on="server_ip", how="left", maintain_order="left"
    )
    return joined.select(points=pl.col("critical").cast(pl.Int64) + pl.col("confirmed").cast(pl.Int64))[
        "points"
    ]


def _is_critical(site: CompiledSite, address: bytes) -> bool:
    asset = site.asset_of(address)
    return site.criticality_of(address) == "C1" or (asset is not None and asset.role == "safety")


def _changes(site: CompiledSite, violations: pl.DataFrame) -> pl.Series:
    """The change window that each row lies in whole, "" for none; only the target's windows count."""
    changes = [""] * violations.height
    if site.changes_by_asset:
        targets = {address: asset.id for address, asset in site.assets_by_address.items()}
        columns = violations.select(
            "server_ip", "first_ns", "last_ns", "operation", "decoded_service", "hinted_service"
        )
        of_changing = columns.with_row_index("row").filter(
            pl.col("server_ip").is_in([a for a, name in targets.items() if name in site.changes_by_asset])
        )
        for row, server, first_ns, last_ns, operation, decoded, hinted in of_changing.iter_rows():
            for change in site.changes_by_asset[targets[server]]:
                inside = change.start_ns <= first_ns and last_ns < change.end_ns
                if inside and _covers(change, operation, decoded or hinted):
                    changes[row] = change.ref
                    break
    return pl.Series(changes, dtype=pl.String)


def _covers(change: ChangeWindow, operation: str, service: str) -> bool:
    """The change names the operation; of a whole conversation it names one of the service's operations."""
    if change.operations is None:
        return True
    service = operation.partition(".")[0] or service
    names = {operation, f"{service}.*"}
    return any(
        name in names or (not operation and name.partition(".")[0] == service) for name in change.operations
    )


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


def _circumstances(site: CompiledSite, row: Mapping[str, Any]) -> list[str]:
    """What raised or lowered the severity, what the confidence rests on, and how much the finding stands for."""
    sentences = []
    if _is_critical(site, row["server_ip"]):
        asset = site.asset_of(row["server_ip"])
        name = asset.label if asset else "The target"
        what = "a safety device" if asset and asset.role == "safety" else "of criticality C1"
        sentences.append(f"{name} is {what}, which raises the severity.")
    if row["confirmed"]:
        what = (
            "The device confirmed it"
            if row["operation"]
            else "The session was established and carried payload"
        )
        sentences.append(f"{what}, which raises the severity.")
    elif row["operation"].endswith(".write") or not row["operation"]:
        sentences.append("It was attempted; nothing shows that it went through.")
    if row["change"]:
        sentences.append(
            f"It lies inside the window of change {row['change']}, which lowers the severity by one."
        )
    if row["confidence_rank"] < HIGH:
        word = _CONFIDENCE.get(row["confidence_rank"], Confidence.LOW).value
        sentences.append(
            f"The confidence is {word}: its opening, or part of it, was not seen or not recognised."
        )
    if row["subjects"] > 1:
        sentences.append(
            f"This finding stands for {row['subjects']:,} alike: there were too many to list one by one."
        )
    return sentences
