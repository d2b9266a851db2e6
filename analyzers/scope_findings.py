"""A time over a scope's target in; the finding out: a budget that burns (SLA-03), loss over its target (SLA-04)."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from analyzers.findings import Confidence, Evidence, Finding, Operation, Severity, finding_id
from analyzers.scope_courses import AVAILABILITY, LOSS, TRANSACTION_TIME, Told
from analyzers.scope_sums import with_slow
from analyzers.sla import milliseconds
from analyzers.sla_kinds import CLASS_SEVERITY, LOSSY
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Conversations' minutes named as evidence.
_NAMED: Final = 8
#: What is counted of each objective.
_COUNTED: Final = {LOSS: "lost_segments", AVAILABILITY: "bad", TRANSACTION_TIME: "slow"}


def finding_of(
    site: CompiledSite,
    one: Told,
    minutes: pl.DataFrame,
    policy_sha256: str,
    version: str,
    capture_sha256: str,
) -> Finding | None:
    """The finding, with the conversations' minutes that had most of it; None where none of them has a frame.

    `minutes`: rows of SLA_MINUTES that count, with `at` (minutes since the epoch), `first_ns` and `bad`.
    """
    what = _COUNTED[one.objective]
    here = minutes.filter(one.scope.here & pl.col("valid") & pl.col("at").is_between(one.since, one.last))
    within = with_slow(here, [one.scope.target.transaction_p99_ns])
    worst = within.filter(pl.col(what) > 0).sort(
        what, "at", "client_ip", "server_ip", "server_port", descending=[True, *[False] * 4]
    )
    shown = worst.filter(pl.col("first_frame") > 0).head(_NAMED).to_dicts()
    if not shown:
        return None
    first = shown[0]
    client, server = site.asset_of(first["client_ip"]), site.asset_of(first["server_ip"])
    # A rule may speak a while after what it speaks of.
    bad_minutes = worst["at"].to_list()
    first_ns, last_ns = min(bad_minutes) * MINUTE_NS, (max(bad_minutes) + 1) * MINUTE_NS - 1
    severity = CLASS_SEVERITY[one.scope.target.sla_class] - (one.kind is LOSSY)
    return Finding(
        id=finding_id(
            site.site.id,
            one.kind.id,
            (one.scope.kind, one.scope.id, one.objective),
            one.first * MINUTE_NS,
            policy_sha256,
        ),
        kind=one.kind.id,
        title=f"{one.kind.title}: {one.scope.kind} {one.scope.name}",
        why=_why(one, within, worst),
        severity=Severity(max(severity, Severity.INFO)),
        confidence=Confidence.HIGH,
        site=site.site.id,
        src_zone=first["from_zone"],
        dst_zone=first["to_zone"],
        src_ip=address_text(first["client_ip"]),
        dst_ip=address_text(first["server_ip"]),
        dst_port=first["server_port"],
        src_asset=client.id if client else "",
        dst_asset=server.id if server else "",
        service=first["service"],
        conduit=first["conduit"],
        references=one.kind.references,
        count=max(int(worst[what].sum()), 1),
        first_ns=first_ns,
        last_ns=last_ns,
        policy_sha256=policy_sha256,
        version=version,
        evidence=Evidence(
            capture_sha256=capture_sha256,
            first_ns=first_ns,
            last_ns=last_ns,
            operations=tuple(
                _operation(row, what) for row in sorted(shown, key=lambda row: row["first_frame"])
            ),
        ),
    )


def _operation(row: dict[str, Any], what: str) -> Operation:
    of = {"lost_segments": "lost segments", "bad": "bad slots", "slow": "slow answers"}[what]
    return Operation(
        frame=row["first_frame"],
        ts_ns=row["first_ns"],
        text=f"a minute of {address_text(row['client_ip'])} → {address_text(row['server_ip'])} begins: "
        f"{row[what]:,} {of}",
    )


def _why(one: Told, within: pl.DataFrame, worst: pl.DataFrame) -> str:
    scope = one.scope
    held = f"{scope.kind.capitalize()} {scope.name} is held to class {scope.target.sla_class}"
    if one.kind is LOSSY:
        before, after = (int(within[name].sum()) for name in ("lost_before_tap", "lost_after_tap"))
        return (
            f"{held}; within an hour it had {one.figure}. {after:,} of them were lost behind the tap, {before:,} "
            f"before it. {_shares(worst, 'lost_segments')}"
        )
    counts = {name: int(within[name].sum()) for name in ("late", "unanswered", "exceptions", "missed")}
    ends = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    told = f" ({ends})" if ends and one.objective == AVAILABILITY else ""
    limit = (
        f" within {milliseconds(scope.target.transaction_p99_ns)}"
        if one.objective == TRANSACTION_TIME
        else ""
    )
    return (
        f"{held}; its budget of {one.objective}{limit} was spent {one.figure}{told}. What outages tell already is left "
        f"out. {_shares(worst, 'bad' if one.objective == 'availability' else 'slow')}"
    )


def _shares(worst: pl.DataFrame, what: str) -> str:
    """Which conversation had most of it."""
    total = int(worst[what].sum())
    of = (
        worst.group_by("client_ip", "server_ip")
        .agg(pl.col(what).sum())
        .sort(what, "client_ip", "server_ip", descending=[True, False, False])
        .row(0)
    )
    return f"{int(of[2]):,} of these {total:,} are of {address_text(of[0])} → {address_text(of[1])}."
