"""What raises and lowers a finding's severity: the target, what went through, a change that was planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.findings import Confidence, Severity
from policy.model import ChangeWindow
from policy.violations import HIGH, MEDIUM
from policy.zoning import CompiledSite

_CONFIDENCE: Final = {HIGH: Confidence.HIGH, MEDIUM: Confidence.MEDIUM}


def severity_of(base: int, row: Mapping[str, Any]) -> Severity:
    """The base, a point for each of `points`, one less in a change; never outside 1 to 5."""
    severity = base + row["points"] - bool(row["change"])
    return Severity(min(max(severity, Severity.INFO), Severity.CRITICAL))


def confidence_of(row: Mapping[str, Any]) -> Confidence:
    """The word for a rank of confidence."""
    return _CONFIDENCE.get(row["confidence_rank"], Confidence.LOW)


def points(site: CompiledSite, violations: pl.DataFrame) -> pl.Series:
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


def changes(site: CompiledSite, violations: pl.DataFrame) -> pl.Series:
    """The change window that each row lies in whole, "" for none; only the target's windows count."""
    found = [""] * violations.height
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
                    found[row] = change.ref
                    break
    return pl.Series(found, dtype=pl.String)


def _covers(change: ChangeWindow, operation: str, service: str) -> bool:
    """The change names the operation; of a whole conversation it names one of the service's operations."""
    if change.operations is None:
        return True
    service = operation.partition(".")[0] or service
    names = {operation, f"{service}.*"}
    return any(
        name in names or (not operation and name.partition(".")[0] == service) for name in change.operations
    )


#: Why the confidence is less than high, for whatever says nothing else.
_DOUBT: Final = "its opening, or part of it, was not seen or not recognised"


def circumstances(site: CompiledSite, row: Mapping[str, Any], doubt: str = _DOUBT) -> list[str]:
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
        sentences.append(f"The confidence is {confidence_of(row).value}: {doubt}.")
    if row["subjects"] > 1:
        sentences.append(
            f"This finding stands for {row['subjects']:,} alike: there were too many to list one by one."
        )
    return sentences
