"""The SLA report of a recording beside what is true of it: the figures that `geophone sla` prints, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Final

from analyzers.sla_report_form import Scope, SlaReport
from geophone.lab.compare import LOSS_POINTS, RTT_FLOOR_MS, RTT_SHARE, SAMPLES_LEAST, TAPS, Row
from geophone.sla_reporting import Wish, report_of_captures
from pcaps.lab.plant.captures import copies
from pcaps.lab.plant.layout import (
    CONTROL,
    MODBUS_PORT,
    SPAN_CONTROL,
    SPAN_DOUBLE,
    SPAN_ROUTER,
    STATIONS,
)
from pcaps.lab.plant.link.exchanges import Exchange, exchanges
from pcaps.lab.plant.link.frames import TCP
from pcaps.lab.plant.link.round_trips import round_trips
from pcaps.lab.plant.link.settings import TO_CONTROL, TO_ROUTER
from pcaps.lab.plant.link.truth import Crossing, faults
from pcaps.lab.plant.playing import Played

#: The conduit that crosses the link with all of its traffic.
CONDUIT: Final = "c-room-control"
_CLIENTS: Final = "supervisory"
_MS_NS: Final = 1e6
#: Server time is made of two durations out of buckets: each may be off by this share.
_BUCKET_SHARE: Final = 0.01
#: The capture's minutes may be judged where it lost at most this share (decision 6).
_FIT_SHARE: Final = 0.001
_ZONE_OF: Final = {one.ip: one.zone for one in STATIONS.values()}


def report_of(capture: Path, policy: Path) -> SlaReport:
    """What `geophone sla CAPTURE --policy POLICY --conduit c-room-control` says."""
    return report_of_captures(Wish(captures=(capture,), policy=policy, conduits=(CONDUIT,)))


def report_rows(played: Played, reports: Mapping[str, SlaReport], log: list[Crossing]) -> Iterator[Row]:
    """Hold the report of each tap against what the link and the recording say."""
    for span, report in reports.items():
        (scope,) = report.scopes
        yield from _judged(played, span, report, scope)
        if scope.rtt.p50_ms is None or played.removed:
            # Of a capture that misses frames no minute is judged: there is no figure that could be wrong.
            continue
        yield from _times(span, scope, log)
        yield from _outcomes(span, scope, log)
        yield _loss(span, scope, log)
    if SPAN_DOUBLE in reports:
        extra, alike = copies(played.capture(SPAN_DOUBLE), played.capture(SPAN_ROUTER))
        found = reports[SPAN_DOUBLE].watched.duplicate_packets
        yield Row("SPAN copies left out", TAPS[SPAN_DOUBLE], "packets", extra - alike, found, 0)


def _judged(played: Played, span: str, report: SlaReport, scope: Scope) -> Iterator[Row]:
    removed = played.removed
    there = removed.data_segments_left + removed.segments if removed else 0
    share = removed.segments / there if removed else 0.0
    yield Row(
        "coverage: minutes fit to be judged",
        TAPS[span],
        "%",
        0.0 if share > _FIT_SHARE else 100.0,
        scope.minutes.valid_percent,
        0,
        note=f"{scope.status}: {'; '.join(scope.reasons)}" if scope.reasons else str(scope.status),
    )
    yield Row(
        "coverage: segments never seen",
        TAPS[span],
        "segments",
        removed.segments if removed else 0,
        report.watched.unseen_segments,
        LOSS_POINTS / 100 * there,
    )


def _times(span: str, scope: Scope, log: list[Crossing]) -> Iterator[Row]:
    end = _end(span)
    trips = {
        conversation: found
        for conversation, found in round_trips(log, end).items()
        if (_ZONE_OF.get(conversation[0]), _ZONE_OF.get(conversation[2])) == (_CLIENTS, CONTROL)
    }
    true_ns = [one for found in trips.values() for one in found.round_ns]
    trip_ms = 0.0
    if true_ns:
        trip_ms = median(true_ns) / _MS_NS
        allowed = max(RTT_SHARE * trip_ms, RTT_FLOOR_MS)
        note = f"true of {len(true_ns):,}"
        yield _time("RTT, median", span, trip_ms, scope.rtt.p50_ms, scope.rtt.samples, allowed, note)
    answers = [one for one in exchanges(log, MODBUS_PORT, end) if one.took_ns is not None]
    own = [one for one in exchanges(log, MODBUS_PORT, TO_CONTROL) if one.took_ns is not None]
    if not answers or not own:
        return
    took_ms, own_ms = (_middle_ms(part) for part in (answers, own))
    allowed = max(RTT_SHARE * took_ms, RTT_FLOOR_MS)
    yield _time(
        "request to answer, median",
        span,
        took_ms,
        scope.transaction.p50_ms,
        scope.transaction.samples,
        allowed,
    )
    # What queues on the way reads as the server's (analyzers.latency): it does in the truth as well.
    left_ns = [
        max(0, one.took_ns - min(trips[one.conversation].server_ns))
        for one in answers
        if one.took_ns is not None and one.conversation in trips and trips[one.conversation].server_ns
    ]
    if not left_ns:
        return
    yield _time(
        "server time, median",
        span,
        median(left_ns) / _MS_NS,
        scope.server_time.p50_ms,
        scope.server_time.samples,
        max(RTT_SHARE * own_ms, RTT_FLOOR_MS) + _BUCKET_SHARE * (took_ms + trip_ms),
        f"{own_ms:.2f} ms its own, the rest is what queued on the way; the way's buckets may be off by 1 %",
    )


def _time(
    what: str, span: str, true: float, found: float | None, samples: int, allowed: float, note: str = ""
) -> Row:
    enough = samples >= SAMPLES_LEAST
    count = f"{samples} samples" if enough else f"{samples} samples are too few"
    return Row(
        what,
        TAPS[span],
        "ms",
        true,
        found if enough else None,
        allowed,
        f"{count}; {note}" if note else count,
    )


def _outcomes(span: str, scope: Scope, log: list[Crossing]) -> Iterator[Row]:
    asked = exchanges(log, MODBUS_PORT, _end(span))
    deadline_ns = scope.target.deadline_ms * _MS_NS
    in_time = sum(one.took_ns is not None and one.took_ns <= deadline_ns for one in asked)
    yield Row("requests", TAPS[span], "requests", len(asked), scope.outcomes.requests, 0)
    if asked:
        yield Row(
            "availability",
            TAPS[span],
            "%",
            100 * in_time / len(asked),
            scope.availability.achieved_percent,
            0.001,
            note=f"{scope.outcomes.good:,} good, true {in_time:,} within {scope.target.deadline_ms:g} ms",
        )


def _loss(span: str, scope: Scope, log: list[Crossing]) -> Row:
    true = faults(
        log,
        lambda _, who: (
            who.proto == TCP
            and who.payload > 0
            and {_ZONE_OF.get(who.src), _ZONE_OF.get(who.dst)} == {_CLIENTS, CONTROL}
        ),
    )
    loss = scope.loss
    found = f"{loss.before_tap_segments} before the tap, {loss.after_tap_segments} behind it"
    return Row(
        "loss, both ways",
        TAPS[span],
        "%",
        100 * true.loss,
        loss.percent,
        LOSS_POINTS,
        note=f"{found}, true {true.dropped} in all{'; before the tap reads low' if true.dropped else ''}",
        floor=True,
    )


def _middle_ms(of: list[Exchange]) -> float:
    return median(one.took_ns for one in of if one.took_ns is not None) / _MS_NS


def _end(span: str) -> str:
    return TO_CONTROL if span == SPAN_CONTROL else TO_ROUTER
