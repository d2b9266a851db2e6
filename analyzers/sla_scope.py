"""One zone or conduit of an SLA report: its rows and its target in; its figures, budgets, alerts and verdict out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

import polars as pl

from analyzers import sketch
from analyzers.attribution import because
from analyzers.budget import WITHIN_TARGET, Budget, Slots, exact
from analyzers.burn import MinuteSlots, burn_alerts, worst_burn
from analyzers.capture_loss import CAPTURE_LOSS_LIMIT
from analyzers.causes import CAUSES, Causes
from analyzers.periods import Period
from analyzers.sla import Held, Status, Verdict, judge
from analyzers.sla_report_form import (
    Alert,
    Exclusion,
    Loss,
    Minutes,
    Objective,
    Outcomes,
    Scope,
    Target,
    Times,
)
from analyzers.sla_totals import COUNTS, CaptureSums, counted
from analyzers.sla_worst import worst_conversation
from policy.sla_classes import SlaTarget

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_NS_PER_MS: Final = 1_000_000
#: The class that is told of three bad slots in a row at once.
_TOLD_AT_ONCE: Final = "C1"

Histogram = tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True)
class ScopeRows:
    """What was measured, of all scopes; what the report is about."""

    totals: pl.DataFrame
    minutes: pl.DataFrame
    capture: CaptureSums
    period: Period
    budget_minutes: int


@dataclass(frozen=True, slots=True)
class _Figures:
    """What `judge` holds against the target; None is 'not measured'."""

    rtt_p95_ns: int | None
    rtt_p99_ns: int | None
    transaction_p99_ns: int | None
    loss: float | None
    availability: float | None


def scope_of(
    rows: ScopeRows,
    kind: Literal["zone", "conduit"],
    scope: str,
    name: str,
    target: SlaTarget,
    here: pl.Expr,
    sides: tuple[str, str] = ("the clients", "the servers"),
) -> Scope:
    """The part of the report on the scope whose rows `here` picks; `sides` are names for who asks and who answers."""
    totals, minutes = rows.totals.filter(here), rows.minutes.filter(here)
    counts = {column: int(totals[column].sum()) for column in COUNTS}
    course, wanted = list(_course(minutes)), exact(target.availability)
    seen = _minutes(minutes, course, wanted)
    slots = Slots(
        counts["transactions"] + counts["missed"],
        counts["transactions"] + counts["missed"] - counts["good"],
    )
    answers, round_trips, server = (
        sketch.added(totals[f"{what}_buckets"], totals[f"{what}_counts"])
        for what in ("transaction", "rtt", "server_time")
    )
    in_time = sketch.samples_within(*answers, target.transaction_p99_ns)
    answered = sketch.samples_in(answers[1])
    lost = counts["lost_segments"]
    figures = _Figures(
        rtt_p95_ns=sketch.percentile(*round_trips, 0.95),
        rtt_p99_ns=sketch.percentile(*round_trips, 0.99),
        transaction_p99_ns=sketch.percentile(*answers, 0.99),
        loss=lost / counts["data_segments"] if counts["data_segments"] else None,
        availability=slots.good / slots.valid if slots.valid else None,
    )
    one_sided = int(minutes.filter(pl.col("exclusion") == "")["one_sided"].sum())
    verdict = _verdict(rows, target, figures, seen, minutes, slots.valid, _why_not(counts, one_sided))
    causes = _causes(counts, answers, round_trips, server)
    period = rows.budget_minutes - seen.wholly_excluded
    return Scope(
        kind=kind,
        id=scope,
        name=name,
        status=verdict.status,
        reasons=verdict.reasons,
        because=because(target, causes, *sides),
        missing=tuple(_missing(rows, counts, figures, seen, one_sided)),
        target=_target(target),
        availability=_objective(Budget(wanted, slots, period, seen.counted)),
        transaction_time=_objective(
            Budget(WITHIN_TARGET, Slots(answered, answered - in_time), period, seen.counted)
        ),
        worst_burn_1h=_number(worst_burn(course, wanted, 60)),
        worst_burn_6h=_number(worst_burn(course, wanted, 6 * 60)),
        outcomes=_outcomes(counts, one_sided),
        transaction=_times(answers),
        rtt=_times(round_trips),
        path_jitter_ms=_ms(causes.jitter_ns),
        server_time=_times(server),
        loss=Loss(
            data_segments=counts["data_segments"],
            before_tap_segments=counts["lost_before_tap"],
            after_tap_segments=counts["lost_after_tap"],
            client_side_segments=counts["lost_client_side"],
            server_side_segments=counts["lost_server_side"],
            percent=_percent(Fraction(lost, counts["data_segments"]) if counts["data_segments"] else None),
        ),
        packets=int(minutes["packets"].sum()),
        minutes=seen,
        exclusions=_exclusions(minutes),
        alerts=_alerts(course, wanted, at_once=target.sla_class == _TOLD_AT_ONCE),
        worst=worst_conversation(totals),
    )


def _verdict(
    rows: ScopeRows,
    target: SlaTarget,
    figures: _Figures,
    seen: Minutes,
    minutes: pl.DataFrame,
    samples: int,
    why_not: str,
) -> Verdict:
    if seen.seen and seen.wholly_excluded == seen.seen:
        refs = ", ".join(sorted(set(minutes["exclusion"].to_list()) - {""}))
        return Verdict(Status.NO_DATA, (f"every minute was excluded by planned changes ({refs})",), None)
    return judge(
        target,
        figures,
        seen.seen - seen.wholly_excluded,
        seen.counted,
        samples=samples,
        why_not=why_not,
        held=Held(rows.capture.minutes, rows.period.minutes),
    )


def _why_not(counts: dict[str, int], one_sided: int) -> str:
    """Why requests that were there are in no figure, in words; empty where none was there."""
    return Causes(
        encrypted=counts["not_measurable_encrypted"],
        unmatched=counts["not_measurable_unmatched"],
        one_sided=one_sided,
        clock=counts["not_measurable_clock"],
    ).why_not


def _minutes(minutes: pl.DataFrame, course: Sequence[MinuteSlots], wanted: Fraction) -> Minutes:
    each = minutes.group_by("minute").agg(
        counted=counted().any(),
        judged=pl.col("valid").any(),
        excluded=(pl.col("exclusion") != "").any(),
        wholly=(pl.col("exclusion") != "").all(),
    )
    part = each.filter(~pl.col("wholly"))
    fit = int(part["counted"].sum())
    asked = [one.slots for one in course if one.slots.valid]
    return Minutes(
        seen=len(each),
        counted=fit,
        invalid=int((~each["judged"]).sum()),
        excluded=int(each["excluded"].sum()),
        wholly_excluded=len(each) - len(part),
        valid_percent=_at_least(Fraction(fit, len(part)) if len(part) else None),
        with_slots=len(asked),
        # Whole numbers: a fraction each of a month's minutes takes seconds.
        in_target=sum(slots.good * wanted.denominator >= slots.valid * wanted.numerator for slots in asked),
    )


def _course(minutes: pl.DataFrame) -> Iterator[MinuteSlots]:
    """The scope minute by minute; a minute of which nothing counts is not valid, one that is excluded not there."""
    each = (
        minutes.filter(pl.col("exclusion") == "")
        .group_by("minute")
        .agg(
            pl.col("valid").any(),
            *(pl.col(name).filter(counted()).sum() for name in ("slots", "good")),
            pl.col("run").filter(counted()).max(),
        )
        .with_columns(pl.col("minute").dt.epoch("ns") // 60_000_000_000)
    )
    for minute, valid, slots, good, run in each.sort("minute").iter_rows():
        yield MinuteSlots(minute, Slots(slots, slots - good), valid, run or 0)


def _alerts(course: Sequence[MinuteSlots], target: Fraction, *, at_once: bool) -> tuple[Alert, ...]:
    return tuple(
        Alert(
            kind=alert.kind,
            rule=alert.rule,
            start=_EPOCH + alert.first_minute * _MINUTE,
            end=_EPOCH + (alert.last_minute + 1) * _MINUTE,
            peak=_number(alert.peak) or 0.0,
        )
        for alert in burn_alerts(course, target, at_once=at_once)
    )


def _exclusions(minutes: pl.DataFrame) -> tuple[Exclusion, ...]:
    each = (
        minutes.filter(pl.col("exclusion") != "")
        .group_by("exclusion")
        .agg(pl.col("minute").n_unique(), pl.col("conversations").sum())
        .sort("exclusion")
    )
    return tuple(
        Exclusion(refs=refs, minutes=count, conversation_minutes=conversations)
        for refs, count, conversations in each.iter_rows()
    )


def _missing(
    rows: ScopeRows, counts: dict[str, int], figures: _Figures, seen: Minutes, one_sided: int
) -> Iterator[str]:
    """What was not measured and why, in words."""
    if rows.capture.minutes < rows.period.minutes:
        yield (
            f"the captures hold nothing of {rows.period.minutes - rows.capture.minutes:,} of the period's "
            f"{rows.period.minutes:,} minutes"
        )
    if not seen.seen:
        return
    if seen.invalid:
        yield (
            f"{seen.invalid:,} of {seen.seen:,} minutes are not judged: the capture lost more than "
            f"{CAPTURE_LOSS_LIMIT:.1%} of them ({rows.capture.dropped_packets:,} packets dropped, "
            f"{rows.capture.unseen_segments:,} segments acknowledged but never seen, by all captures in the period)"
        )
    for count, why in (
        (counts["not_measurable_encrypted"], "encryption hides what answers them"),
        (counts["not_measurable_unmatched"], "their requests were not seen"),
        (one_sided, "only one direction was seen"),
        (counts["not_measurable_clock"], "the capture's clock went back"),
    ):
        if count:
            yield f"{count:,} transactions are neither good nor bad: {why}"
    if not seen.counted:
        return
    if figures.availability is None:
        yield "no availability and no transaction time: no request was seen whose answer can be matched"
    elif figures.transaction_p99_ns is None:
        yield "no transaction time: nothing was answered"
    if figures.rtt_p95_ns is None:
        yield "no round-trip time: no TCP handshake and no data with its acknowledgement was seen"
    if figures.loss is None:
        yield "no loss: no TCP data segment was seen"


def _causes(counts: dict[str, int], answers: Histogram, round_trips: Histogram, server: Histogram) -> Causes:
    """What tells whose a problem is; what was not measured is told by `_missing`."""
    sums = {
        name: counts[column] for name, column in CAUSES.items() if not column.startswith("not_measurable")
    }
    return Causes(
        rtt_p99_ns=sketch.percentile(*round_trips, 0.99),
        transaction_p99_ns=sketch.percentile(*answers, 0.99),
        server_time_p99_ns=sketch.percentile(*server, 0.99),
        server_time_samples=sketch.samples_in(server[1]),
        transaction_samples=sketch.samples_in(answers[1]),
        rtt_min_ns=sketch.percentile(*round_trips, 0.0),
        rtt_p999_ns=sketch.percentile(*round_trips, 0.999),
        **sums,
    )


def _target(target: SlaTarget) -> Target:
    return Target(
        sla_id=target.sla_id,
        sla_class=target.sla_class,
        availability_percent=_percent(exact(target.availability)) or 0.0,
        transaction_p99_ms=target.transaction_p99_ns / _NS_PER_MS,
        deadline_ms=target.deadline_ns / _NS_PER_MS,
        rtt_p95_ms=target.rtt_p95_ns / _NS_PER_MS,
        rtt_p99_ms=target.rtt_p99_ns / _NS_PER_MS,
        loss_percent=_percent(exact(target.loss)) or 0.0,
    )


def _objective(budget: Budget) -> Objective:
    return Objective(
        target_percent=_percent(budget.target) or 0.0,
        achieved_percent=_at_least(budget.slots.good_share),
        slots=budget.slots.valid,
        bad_slots=budget.spent,
        allowed_slots=_number(budget.allowed) or 0.0,
        left_slots=_number(budget.left) or 0.0,
        allowed_minutes=_number(budget.allowed_minutes) or 0.0,
        spent_minutes=_number(budget.spent_minutes) or 0.0,
        left_minutes=_number(budget.left_minutes) or 0.0,
        left_percent=_at_least(budget.left_share),
        lasts_minutes=_number(budget.lasts_minutes),
        burn_rate=_number(budget.burn),
    )


def _outcomes(counts: dict[str, int], one_sided: int) -> Outcomes:
    return Outcomes(
        requests=counts["transactions"],
        good=counts["good"],
        late=counts["late"],
        exceptions=counts["exceptions"],
        unanswered=counts["unanswered"],
        missed=counts["missed"],
        unknown_encrypted=counts["not_measurable_encrypted"],
        unknown_unmatched=counts["not_measurable_unmatched"],
        unknown_one_sided=one_sided,
        unknown_clock=counts["not_measurable_clock"],
    )


def _times(histogram: Histogram) -> Times:
    p50, p95, p99 = (sketch.percentile(*histogram, share) for share in (0.5, 0.95, 0.99))
    return Times(samples=sketch.samples_in(histogram[1]), p50_ms=_ms(p50), p95_ms=_ms(p95), p99_ms=_ms(p99))


def _ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else value_ns / _NS_PER_MS


def _percent(share: Fraction | None) -> float | None:
    """Of 100; six decimals."""
    return None if share is None else float(round(100 * share, 6))


def _at_least(share: Fraction | None) -> float | None:
    """Of 100; four decimals, rounded down: what missed its target does not read as having met it."""
    return None if share is None else share * 1_000_000 // 1 / 10_000


def _number(value: Fraction | None) -> float | None:
    """Six decimals."""
    return None if value is None else float(round(value, 6))
