"""Measured minutes in; findings about whole scopes out: a budget that burns (SLA-03), loss over its target (SLA-04).

A conduit speaks for its zones: a zone has a finding of its own only where no conduit that touches it has one at that
time. What an outage or flapping tells already is left out: conversations' minutes in which one was found burn nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import polars as pl
import pyarrow as pa

from analyzers.budget import WITHIN_TARGET, Slots, exact
from analyzers.burn import LEAST_BAD, BurnAlert, MinuteSlots, burn_alerts
from analyzers.findings import Confidence, Evidence, Finding, Operation, Severity, finding_id
from analyzers.measurements import SLA_MINUTES
from analyzers.sketch import buckets, samples_within
from analyzers.sla import milliseconds
from analyzers.sla_kinds import BURNING, CLASS_SEVERITY, LOSSY, SlaKind
from policy.sla_classes import SlaTarget
from policy.traffic import table_schema
from policy.violations import MINUTE_NS
from policy.zoning import CompiledSite
from sensors.addresses import address_text

#: Minutes that loss is looked at over.
LOSS_WINDOW: Final = 60
#: Lost segments that the target allows lose so many more by chance less often than this: one hour of a thousand.
_CHANCE: Final = 0.001
#: Conversations' minutes named as evidence.
_NAMED: Final = 8

#: Client, server, IP protocol and port.
Conversation = tuple[bytes, bytes, int, int]
#: A conversation and the start of a minute.
Cell = tuple[Conversation, int]
#: What is needed of a row of SLA_MINUTES.
_COLUMNS: Final = (
    "minute", "valid", "exclusion", "from_zone", "to_zone", "conduit", "client_ip", "server_ip", "server_port",
    "ip_proto", "service", "first_ts", "first_frame", "data_segments", "lost_segments", "lost_before_tap",
    "lost_after_tap", "transactions", "good", "exceptions", "unanswered", "late", "missed", "transaction_buckets",
    "transaction_counts",
)  # fmt: skip
_SCHEMA: Final = {name: kind for name, kind in table_schema(SLA_MINUTES).items() if name in _COLUMNS}


class ScopeWatch:
    """Gathers measured minutes and says what they show; grows with conversations' minutes."""

    def __init__(
        self, site: CompiledSite, policy_sha256: str, version: str, *, keep_minutes: int | None = None
    ) -> None:
        """`keep_minutes`: of an interface that goes on, how long minutes are remembered."""
        self._site = site
        self._policy_sha256 = policy_sha256
        self._version = version
        self._keep_minutes = keep_minutes
        self._minutes = pl.DataFrame(schema=_SCHEMA)
        self._told: set[Cell] = set()

    def feed(self, minutes: pa.RecordBatch) -> None:
        """Add rows of SLA_MINUTES, each conversation's minute once."""
        rows = pl.DataFrame(minutes).select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
        self._minutes = pl.concat([self._minutes, rows])
        if self._keep_minutes is not None:
            at = pl.col("minute").dt.epoch("ns")
            self._minutes = self._minutes.filter(at > at.max() - self._keep_minutes * MINUTE_NS)

    def finish(self, polled: Set[Conversation], told: Set[Cell], capture_sha256: str) -> list[Finding]:
        """What they show up to now: see `scope_findings`."""
        self._told |= told
        if self._keep_minutes is not None and not self._minutes.is_empty():
            oldest_ns = int(self._minutes["minute"].dt.epoch("ns").min())  # type: ignore[arg-type]
            self._told = {cell for cell in self._told if cell[1] >= oldest_ns}
        return scope_findings(
            self._site, self._minutes, polled, self._told, self._policy_sha256, self._version, capture_sha256
        )


@dataclass(frozen=True, slots=True)
class _Scope:
    kind: str
    id: str
    name: str
    target: SlaTarget
    here: pl.Expr
    zones: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Told:
    """One stretch of a scope in which something is over its target; minutes since the epoch, both ends included."""

    kind: SlaKind
    scope: _Scope
    objective: str
    first: int
    last: int
    #: First minute of the window that it was judged over.
    since: int
    figure: str


def scope_findings(
    site: CompiledSite,
    minutes: pl.DataFrame,
    polled: Set[Conversation],
    told: Set[Cell],
    policy_sha256: str,
    version: str,
    capture_sha256: str,
) -> list[Finding]:
    """Findings of rows of SLA_MINUTES.

    `polled` are the conversations with polls: budgets are theirs, or a stranger's survey would spend them. `told` are
    the conversations' minutes in which an outage was found.
    """
    if minutes.is_empty():
        return []
    rows = minutes.filter(pl.col("exclusion") == "").with_columns(
        at=pl.col("minute").dt.epoch("ns") // MINUTE_NS,
        first_ns=pl.col("first_ts").dt.epoch("ns"),
        bad=pl.col("transactions") + pl.col("missed") - pl.col("good"),
    )
    left = _polled(rows, polled, told)
    found: list[_Told] = []
    for scope in _scopes(site):
        mine = [*_burning(scope, left.filter(scope.here)), *_lossy(scope, rows.filter(scope.here))]
        found += [one for one in mine if not (scope.kind == "zone" and _is_told(one, found))]
    made = (
        _finding(site, one, rows if one.kind is LOSSY else left, policy_sha256, version, capture_sha256)
        for one in found
    )
    return [finding for finding in made if finding is not None]


def _scopes(site: CompiledSite) -> Iterator[_Scope]:
    """Conduits first: they speak for their zones."""
    for conduit in site.site.conduits:
        here = pl.col("conduit") == conduit.id
        zones = frozenset((conduit.from_zone, conduit.to_zone))
        yield _Scope("conduit", conduit.id, conduit.id, site.conduit_targets[conduit.id], here, zones)
    for zone in site.site.zones:
        here = (pl.col("from_zone") == zone.id) | (pl.col("to_zone") == zone.id)
        yield _Scope("zone", zone.id, zone.label, site.zone_targets[zone.id], here, frozenset((zone.id,)))


def _is_told(one: _Told, found: Sequence[_Told]) -> bool:
    return any(
        other.kind is one.kind
        and other.scope.kind == "conduit"
        and one.scope.zones <= other.scope.zones
        and other.since <= one.last
        and one.since <= other.last
        for other in found
    )


def _polled(rows: pl.DataFrame, polled: Set[Conversation], told: Set[Cell]) -> pl.DataFrame:
    """The minutes of conversations with polls in which no outage was found."""
    key = {
        "client_ip": pl.Binary(),
        "server_ip": pl.Binary(),
        "ip_proto": pl.UInt8(),
        "server_port": pl.UInt16(),
    }
    conversations = pl.DataFrame(list(polled), schema=key, orient="row")
    cells = pl.DataFrame(
        [(*conversation, at_ns // MINUTE_NS) for conversation, at_ns in told],
        schema={**key, "at": pl.Int64()},
        orient="row",
    )
    of_polls = rows.join(conversations, on=list(key), how="semi")
    return of_polls.join(cells, on=cells.columns, how="anti")


def _burning(scope: _Scope, rows: pl.DataFrame) -> Iterator[_Told]:
    """Availability and transaction time, each over the fast windows of `analyzers.burn`."""
    slots = pl.col("transactions") + pl.col("missed")
    yield from _alerts(scope, "availability", exact(scope.target.availability), rows, slots, pl.col("bad"))
    timed = _with_slow(rows, scope.target)
    yield from _alerts(scope, "transaction time", WITHIN_TARGET, timed, pl.col("answered"), pl.col("slow"))


def _with_slow(rows: pl.DataFrame, target: SlaTarget) -> pl.DataFrame:
    """Add how many answers were timed, and how many of them took longer than the target."""
    limit_ns = target.transaction_p99_ns
    limit = int(buckets(pl.Series([limit_ns]))[0])
    limit -= not samples_within([limit], [1], limit_ns)
    numbered = rows.with_row_index("row")
    timed = numbered.select("row", "transaction_buckets", "transaction_counts").filter(
        pl.col("transaction_counts").list.len() > 0  # an empty list would explode into a null
    )
    counts = (
        timed.explode("transaction_buckets", "transaction_counts")
        .group_by("row")
        .agg(
            answered=pl.col("transaction_counts").cast(pl.Int64).sum(),
            slow=pl.col("transaction_counts")
            .filter(pl.col("transaction_buckets") > limit)
            .cast(pl.Int64)
            .sum(),
        )
    )
    return (
        numbered.join(counts, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("answered", "slow").fill_null(0))
        .drop("row")
    )


def _alerts(
    scope: _Scope, objective: str, target: Fraction, rows: pl.DataFrame, slots: pl.Expr, bad: pl.Expr
) -> Iterator[_Told]:
    each = rows.group_by("at").agg(
        pl.col("valid").any(),
        slots=slots.filter("valid").sum().cast(pl.Int64),
        bad=bad.filter("valid").sum().cast(pl.Int64),
    )
    if each["bad"].sum() < LEAST_BAD:
        return
    course = [
        MinuteSlots(at, Slots(valid_slots, bad_slots), valid)
        for at, valid, valid_slots, bad_slots in each.sort("at").iter_rows()
    ]
    # Three bad ones in a row at once are an outage, which is told as that; tickets are for reports.
    pages = [one for one in burn_alerts(course, target, at_once=False) if one.kind == "page"]
    merged: list[list[BurnAlert]] = []
    for alert in pages:
        if merged and alert.first_minute <= max(one.last_minute for one in merged[-1]) + 1:
            merged[-1].append(alert)
        else:
            merged.append([alert])
    for group in merged:
        fastest = max(group, key=lambda one: one.peak)
        window = 60 if fastest.rule == "burn-1h" else 6 * 60
        yield _Told(
            BURNING,
            scope,
            objective,
            min(one.first_minute for one in group),
            max(one.last_minute for one in group),
            min(one.first_minute for one in group) - window + 1,
            f"{float(fastest.peak):.1f} times as fast as the budget of {float(target):.4%} allows, over "
            f"{window // 60} h",
        )


def _lossy(scope: _Scope, rows: pl.DataFrame) -> Iterator[_Told]:
    """Hours from a first lost segment on that lost more than the target, and more than chance explains."""
    each = (
        rows.filter("valid")
        .group_by("at")
        .agg(pl.col("lost_segments", "data_segments").sum().cast(pl.Int64))
        .sort("at")
        .rows()
    )
    place = 0
    while place < len(each):
        first, lost_first, _ = each[place]
        if not lost_first:
            place += 1
            continue
        window = [one for one in each[place : place + LOSS_WINDOW] if one[0] < first + LOSS_WINDOW]
        lost, sent = sum(one[1] for one in window), sum(one[2] for one in window)
        allowed = scope.target.loss * sent
        if lost > allowed and _by_chance(lost, allowed) < _CHANCE:
            last = max(one[0] for one in window if one[1])
            share = (
                f"{lost:,} of {sent:,} data segments lost ({lost / sent:.2%}), target {scope.target.loss:.2%}"
            )
            yield _Told(LOSSY, scope, "loss", first, last, first, share)
            place += len(window)
        else:
            place += 1


def _by_chance(lost: int, allowed: float) -> float:
    """How likely so many or more are lost where `allowed` are on average: the tail of Poisson's distribution."""
    fewer = sum(
        math.exp(count * math.log(allowed) - allowed - math.lgamma(count + 1)) for count in range(lost)
    )
    return 1 - fewer


def _finding(
    site: CompiledSite,
    one: _Told,
    minutes: pl.DataFrame,
    policy_sha256: str,
    version: str,
    capture_sha256: str,
) -> Finding | None:
    what = {"loss": "lost_segments", "availability": "bad", "transaction time": "slow"}[one.objective]
    here = minutes.filter(one.scope.here & pl.col("valid") & pl.col("at").is_between(one.since, one.last))
    within = _with_slow(here, one.scope.target)
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


def _why(one: _Told, within: pl.DataFrame, worst: pl.DataFrame) -> str:
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
    told = f" ({ends})" if ends and one.objective == "availability" else ""
    limit = (
        f" within {milliseconds(scope.target.transaction_p99_ns)}"
        if one.objective == "transaction time"
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
