"""Zones and conduits against their targets: conversation minutes in, figures and a verdict out.

Two budgets decide: availability (requests answered well and in time) and transaction time. Round-trip time and
loss tell why; over their target they put a scope at risk. What was not measured is never met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

import polars as pl
import pyarrow as pa

from analyzers import latency, loss, sketch
from analyzers.capture_loss import CAPTURE_LOSS_LIMIT, CaptureLoss
from analyzers.causes import CAUSES, NO_CAUSES, Causes
from analyzers.conversation_minutes import ConversationMinutes
from analyzers.heaps import Heap
from analyzers.measurements import SLA_MINUTES
from analyzers.minute_rows import in_order, measured_minutes
from analyzers.requests import Deadline, Requests
from analyzers.samples import Samples
from policy.sla_classes import SlaTarget
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: Less than this share of valid minutes and there is no verdict.
VALID_SHARE: Final = 0.95
#: Fewer requests than this are met by luck: as many bad ones in a row are an outage.
SAMPLES_TO_JUDGE: Final = 3
#: A budget spent further than this is at risk.
BUDGET_AT_RISK: Final = 0.75


class Status(StrEnum):
    """A scope against its target."""

    MET = "met"
    AT_RISK = "at risk"
    BREACHED = "breached"
    NO_DATA = "no data"


class Figures(Protocol):
    """What is judged. None is 'not measured'."""

    @property
    def rtt_p95_ns(self) -> int | None:
        """95th percentile of the round-trip time."""

    @property
    def rtt_p99_ns(self) -> int | None:
        """99th percentile of the round-trip time."""

    @property
    def transaction_p99_ns(self) -> int | None:
        """99th percentile of request to response."""

    @property
    def loss(self) -> float | None:
        """Share of data segments lost in the network."""

    @property
    def availability(self) -> float | None:
        """Share of requests answered well and in time."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the captures hold of a period: minutes in which they read a packet, of all that begin in it."""

    minutes: int
    of: int

    @property
    def enough(self) -> bool:
        """Whether a scope may be met over the period; whether it is breached does not depend on it."""
        return self.minutes >= VALID_SHARE * self.of


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status, and in words what led to it (empty when met)."""

    status: Status
    reasons: tuple[str, ...]
    budget_left: float | None  #: share of the availability budget left, below 0 when overspent


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """A zone or conduit over the whole capture; what is measured is measured in its valid minutes."""

    scope: str
    name: str
    target: SlaTarget
    verdict: Verdict
    packets: int
    minutes_seen: int
    minutes_valid: int
    rtt_p50_ns: int | None
    rtt_p95_ns: int | None
    rtt_p99_ns: int | None
    rtt_samples: int
    transaction_p50_ns: int | None
    transaction_p99_ns: int | None
    transactions: int
    good: int
    lost_segments: int
    data_segments: int
    unseen_segments: int
    missed: int = 0
    causes: Causes = NO_CAUSES
    #: how to call who asks and who answers
    sides: tuple[str, str] = ("the clients", "the servers")

    @property
    def loss(self) -> float | None:
        """Share of data segments lost in the network."""
        return self.lost_segments / self.data_segments if self.data_segments else None

    @property
    def availability(self) -> float | None:
        """Share of requests answered without exception and in time, of those that came or were due."""
        due = self.transactions + self.missed
        return self.good / due if due else None


def judge(
    target: SlaTarget,
    figures: Figures,
    minutes_seen: int,
    minutes_valid: int,
    *,
    minutes_excluded: int = 0,
    samples: int = SAMPLES_TO_JUDGE,
    why_not: str = "",
    held: Held | None = None,
) -> Verdict:
    """Hold figures against a target. Pure; the same for the command line, the API and the pages.

    Minutes seen and valid are those that no planned change excludes. `samples` are the requests that the budgets rest
    on: a handful may show that something is bad, never that all is well. `why_not` says why requests that were there
    are in no figure. Round trips and loss diagnose: over their target they are a risk, within it they make nothing met.
    """
    if not minutes_seen:
        excluded = "every minute is of a planned change"
        return Verdict(Status.NO_DATA, (excluded if minutes_excluded else "no packet was seen",), None)
    if minutes_valid < VALID_SHARE * minutes_seen:
        invalid = minutes_seen - minutes_valid
        return Verdict(
            Status.NO_DATA,
            (f"the capture lost more than {CAPTURE_LOSS_LIMIT:.1%} in {invalid} of {minutes_seen} minutes",),
            None,
        )
    availability, transaction_p99 = figures.availability, figures.transaction_p99_ns
    breaches, risks = [], []
    budget_left = None
    if availability is not None:
        spent = (1 - availability) / (1 - target.availability) if target.availability < 1 else 0.0
        budget_left = 1 - spent
        text = f"availability {availability:.3%}, target {target.availability:.3%}"
        if spent > 1:
            breaches.append(text)
        elif spent > BUDGET_AT_RISK:
            risks.append(text)
    if transaction_p99 is not None and transaction_p99 > target.transaction_p99_ns:
        breaches.append(
            f"transaction p99 {milliseconds(transaction_p99)}, target {milliseconds(target.transaction_p99_ns)}"
        )
    for name, value, limit in (
        ("RTT p95", figures.rtt_p95_ns, target.rtt_p95_ns),
        ("RTT p99", figures.rtt_p99_ns, target.rtt_p99_ns),
    ):
        if value is not None and value > limit:
            risks.append(f"{name} {milliseconds(value)}, target {milliseconds(limit)}")
    if figures.loss is not None and figures.loss > target.loss:
        risks.append(f"loss {figures.loss:.2%}, target {target.loss:.2%}")
    measured = (availability, transaction_p99, figures.rtt_p95_ns)
    if not (breaches or risks) and all(value is None for value in measured):
        # That nothing was seen to be lost is no sign that anything was answered, or how soon.
        return Verdict(Status.NO_DATA, ("no answer and no round trip could be measured",), None)
    if not (breaches or risks) and availability is None and transaction_p99 is None:
        why = f"requests not measurable, {why_not}" if why_not else "no request with an answer was seen"
        return Verdict(Status.NO_DATA, (f"neither budget was measured: {why}",), None)
    if not (breaches or risks) and samples < SAMPLES_TO_JUDGE:
        return Verdict(Status.NO_DATA, (f"too little to judge by (requests: {samples})",), None)
    if not (breaches or risks) and held is not None and not held.enough:
        text = (
            f"within target in what was seen, but the captures hold {held.minutes:,} of the period's "
            f"{held.of:,} minutes"
        )
        return Verdict(Status.NO_DATA, (text,), budget_left)
    status = Status.BREACHED if breaches else Status.AT_RISK if risks else Status.MET
    return Verdict(status, (*breaches, *risks), budget_left)


def milliseconds(duration_ns: int) -> str:
    """A duration in words: three significant figures, ms or s."""
    value = duration_ns / 1e6
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


class MinuteNotes(Protocol):
    """What is known of minutes beside their traffic: planned changes, polls that were due."""

    def noted(self, minutes: pl.DataFrame) -> pl.DataFrame:
        """Finished rows of SLA_MINUTES in, with `exclusion` empty and `missed` 0; the same rows out, filled.

        A row may be added for a conversation of which nothing was seen in a minute. Minutes come all at once (a
        replay) or one after the other, in order (an interface): both must give the same rows.
        """


class Meter:
    """Adds up traffic per conversation and minute; at the end, rows for the store and figures for the reader."""

    def __init__(self, site: CompiledSite, notes: Sequence[MinuteNotes] = ()) -> None:
        """Start empty; nothing is measured yet. The notes are taken one after the other, at the end."""
        self._site = site
        self._notes = notes
        self._traffic = ConversationMinutes(site.site.detections.kept)
        self._samples = Samples()
        self._capture_loss = CaptureLoss()
        self._minutes: pl.DataFrame | None = None
        self._round_trips = Heap(latency.RTT_COLUMNS, lambda rtt: self._samples.add(latency.rtt_samples(rtt)))
        self._flow_minutes = Heap(
            loss.COLUMNS, lambda flow_minutes: self._traffic.add(loss.traffic_rows(flow_minutes))
        )
        self._requests = Requests(_deadline(site), self._samples)

    def feed(self, traffic: Traffic, coverage: pa.RecordBatch | None = None) -> None:
        """Add one batch, with its rows of the coverage table. Any cut into batches gives the same result."""
        if coverage is not None:
            self._capture_loss.feed(coverage)
        for piece in traffic.pieces():
            self._flow_minutes.add(piece.flow_minutes)
        self._round_trips.add(traffic.rtt)
        self._requests.add(traffic)

    @property
    def together(self) -> int:
        """Conversations of a minute that were measured together with others, for lack of room."""
        return self._traffic.together

    def finish(self) -> pa.RecordBatch:
        """The rows of SLA_MINUTES, in the order of minute and conversation."""
        self._flow_minutes.clear()
        self._round_trips.clear()
        self._requests.clear()
        rows = measured_minutes(
            self._traffic.total(),
            self._samples,
            self._capture_loss.invalid_minutes(),
        )
        for notes in self._notes:
            rows = in_order(notes.noted(rows))
        self._minutes = rows
        table = self._minutes.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(SLA_MINUTES.schema())
        return (
            table.combine_chunks().to_batches()[0]
            if len(table)
            else pa.RecordBatch.from_pylist([], table.schema)
        )

    def zones(self) -> list[ScopeReport]:
        """Every declared zone, seen or not, in the policy's order: its conversations either way."""
        targets = self._site.zone_targets
        return [
            self._report(
                zone.id,
                zone.label,
                targets[zone.id],
                (pl.col("from_zone") == zone.id) | (pl.col("to_zone") == zone.id),
            )
            for zone in self._site.site.zones
        ]

    def conduits(self) -> list[ScopeReport]:
        """Every declared conduit, seen or not, in the policy's order."""
        targets = self._site.conduit_targets
        names = {zone.id: zone.label for zone in self._site.site.zones}
        return [
            self._report(
                conduit.id,
                f"{names[conduit.from_zone]} → {names[conduit.to_zone]}",
                targets[conduit.id],
                pl.col("conduit") == conduit.id,
                (names[conduit.from_zone], names[conduit.to_zone]),
            )
            for conduit in self._site.site.conduits
        ]

    def packets_outside(self) -> int:
        """Packets between addresses that are in no zone: no scope counts them."""
        if self._minutes is None:
            raise RuntimeError("finish() comes first")
        outside = self._minutes.filter((pl.col("from_zone") == "") & (pl.col("to_zone") == ""))
        return int(outside["packets"].sum())

    def _report(
        self,
        scope: str,
        name: str,
        target: SlaTarget,
        rows: pl.Expr,
        sides: tuple[str, str] = ("the clients", "the servers"),
    ) -> ScopeReport:
        if self._minutes is None:
            raise RuntimeError("finish() comes first")
        seen = self._minutes.filter(rows)
        due = seen.filter(pl.col("exclusion") == "")
        part = due.filter("valid")
        rtt, transaction, server_time = (
            sketch.added(part[f"{what}_buckets"], part[f"{what}_counts"])
            for what in ("rtt", "transaction", "server_time")
        )

        def total(name: str) -> int:
            return int(part[name].sum())

        minutes_seen, minutes_valid = due["minute"].n_unique(), part["minute"].n_unique()
        transaction_p99, rtt_p99 = (sketch.percentile(*times, 0.99) for times in (transaction, rtt))
        causes = Causes(
            rtt_p99_ns=rtt_p99,
            transaction_p99_ns=transaction_p99,
            server_time_p99_ns=sketch.percentile(*server_time, 0.99),
            server_time_samples=sketch.samples_in(server_time[1]),
            transaction_samples=sketch.samples_in(transaction[1]),
            rtt_min_ns=sketch.percentile(*rtt, 0.0),
            rtt_p999_ns=sketch.percentile(*rtt, 0.999),
            **{name: total(column) for name, column in CAUSES.items()},
            one_sided_minutes=int(due["one_sided"].sum()),
            one_sided=int(due["not_measurable_one_sided"].sum()),
            minutes_invalid=minutes_seen - minutes_valid,
            minutes_excluded=seen.filter(pl.col("exclusion") != "")["minute"].n_unique(),
            capture_loss=self._capture_loss.share(due.filter(~pl.col("valid"))["minute"]),
        )
        report = ScopeReport(
            scope=scope,
            name=name,
            target=target,
            verdict=Verdict(Status.NO_DATA, (), None),
            packets=int(seen["packets"].sum()),
            minutes_seen=minutes_seen,
            minutes_valid=minutes_valid,
            rtt_p50_ns=sketch.percentile(*rtt, 0.5),
            rtt_p95_ns=sketch.percentile(*rtt, 0.95),
            rtt_p99_ns=rtt_p99,
            rtt_samples=sketch.samples_in(rtt[1]),
            transaction_p50_ns=sketch.percentile(*transaction, 0.5),
            transaction_p99_ns=transaction_p99,
            transactions=causes.transactions,
            good=total("good"),
            lost_segments=causes.lost_segments,
            data_segments=causes.data_segments,
            unseen_segments=int(seen["unseen_segments"].sum()),
            missed=causes.missed,
            causes=causes,
            sides=sides,
        )
        return _judged(report, self._capture_loss.held())


def _deadline(site: CompiledSite) -> Deadline:
    """What each request has to be answered within: its conduit's, which is the asked zone's but for a target."""
    of_zone = {zone: target.deadline_ns for zone, target in site.zone_targets.items()}
    of_conduit = {conduit: target.deadline_ns for conduit, target in site.conduit_targets.items()}
    default = latency.DEFAULT_DEADLINE_NS
    deadlines = {*of_zone.values(), *of_conduit.values(), default}
    if deadlines == {default}:
        return Deadline(pl.lit(default, pl.UInt64), default)
    ns = pl.col("conduit").replace_strict(
        of_conduit,
        default=pl.col("server_zone").replace_strict(of_zone, default=default, return_dtype=pl.UInt64),
        return_dtype=pl.UInt64,
    )
    return Deadline(ns, min(deadlines))


def _judged(report: ScopeReport, held: tuple[int, int]) -> ScopeReport:
    verdict = judge(
        report.target,
        report,
        report.minutes_seen,
        report.minutes_valid,
        minutes_excluded=report.causes.minutes_excluded,
        samples=report.transactions + report.missed,
        why_not=report.causes.why_not,
        held=Held(*held),
    )
    return replace(report, verdict=verdict)
