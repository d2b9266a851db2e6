"""Which measured rows count, and the figures of a group of them: the one place every SLA number comes from.

A capture judged twice (another policy, another version) is measured twice: only its latest finished replay
counts, so that no packet is shown twice. With a replay named, exactly its rows count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from analyzers.causes import CAUSES, Causes
from analyzers.sketch import percentile
from store.answers import SlaPoint
from store.rows import moment, nanoseconds

MINUTE_NS: Final = 60_000_000_000
#: Times the store can hold: 1677 to 2262, to a whole day.
_FAR_NS: Final = (2**63 - 1) // 86_400_000_000_000 * 86_400_000_000_000
#: A series of more points is a mistake of the caller, not a chart.
POINTS_LIMIT: Final = 10_000

#: Facts of replays that are whole, the latest one of each capture.
CURRENT_REPLAYS: Final = """(
    SELECT argMax(id, (started_at, id)) FROM replays FINAL
    WHERE state IN ('judged', 'done') GROUP BY site, capture_sha256
)"""

#: Rows that figures are made of. Minutes of which the capture lost too much (`valid`, decided once, when they were
#: measured) and those of planned changes show that there was traffic, and are judged in no figure.
COUNTED: Final = "(valid AND exclusion = '')"
#: Columns whose sums tell why a scope is as it is.
_CAUSES: Final = ("good", *CAUSES.values())
#: The figures of a group of rows of `store.queries.rolled`, histograms added.
FIGURES: Final = f"""
    sum(packets) AS packets_sum,
    sum(unseen_segments) AS unseen_sum,
    sumIf(minutes, {COUNTED}) AS valid_rows,
    sumIf(minutes, one_sided) AS one_sided_rows,
    sumIf(not_measurable_one_sided, exclusion = '') AS one_sided_sum,
    {", ".join(f"sumIf({name}, {COUNTED}) AS {name}_sum" for name in _CAUSES)},
    sumMapIf(rtt_buckets, rtt_counts, {COUNTED}) AS rtt,
    sumMapIf(server_time_buckets, server_time_counts, {COUNTED}) AS own,
    sumMapIf(transaction_buckets, transaction_counts, {COUNTED}) AS txn
"""
#: Percentiles, in a thousand.
_SHARES: Final = {"min": 0, "p50": 500, "p95": 950, "p99": 990, "p999": 999}


def _percentile_buckets(histogram: str) -> str:
    """Columns `…_samples` and `…_min`, `…_p50` to `…_p999`: samples in all, the bucket with the sample of each rank.

    The rank is that of `analyzers.sketch.percentile` (nearest rank); the duration of a bucket is taken there too.
    """
    columns = [f"arraySum({histogram}.2) AS {histogram}_samples"]
    for name, share in _SHARES.items():
        rank = f"greatest(1, intDiv({share * 1_000} * {histogram}_samples + 999999, 1000000))"
        place = f"arrayFirstIndex(seen -> seen >= {rank}, arrayCumSum({histogram}.2))"
        columns.append(f"if({histogram}_samples = 0, NULL, {histogram}.1[{place}]) AS {histogram}_{name}")
    return ", ".join(columns)


#: What a caller selects from a subquery of FIGURES: the sums, and of each histogram what `point` needs.
FIGURE_NAMES: Final = ", ".join(
    (
        *("packets_sum", "unseen_sum", "valid_rows", "one_sided_rows", "one_sided_sum"),
        *(f"{name}_sum" for name in _CAUSES),
        *(_percentile_buckets(histogram) for histogram in ("rtt", "own", "txn")),
    )
)


@dataclass(frozen=True, slots=True)
class Range:
    """Rows of one time range: minutes that begin at or after `start` (cut to its minute) and before `end`."""

    start_ns: int
    end_ns: int
    site: str = ""
    replay: str = ""

    def where(self, minute: str = "minute") -> str:
        """The condition on rows that have `minute`, `site` and `replay`."""
        return (
            f"{minute} >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') AND "
            f"{minute} < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC') AND {self.whose()}"
        )

    def whose(self) -> str:
        """The part of the condition that is not about time."""
        which = "replay = {replay:String}" if self.replay else f"replay IN {CURRENT_REPLAYS}"
        return f"{which} AND site = {{site:String}}" if self.site else which

    def parameters(self, **more: Any) -> dict[str, Any]:
        """The values bound to the condition, and the caller's own."""
        bound = {"start": self.start_ns, "end": self.end_ns, "site": self.site, "replay": self.replay}
        return {**bound, **more}


def time_range(start: datetime, end: datetime, site: str = "", replay: str = "") -> Range:
    """Aware times in, the range out. ValueError where they are naive, or the end is before the start."""
    start_ns, end_ns = (max(-_FAR_NS, min(nanoseconds(at), _FAR_NS)) for at in (start, end))
    if end_ns < start_ns:
        raise ValueError(f"the range ends ({end.isoformat()}) before it starts ({start.isoformat()})")
    return Range(start_ns - start_ns % MINUTE_NS, end_ns, site, replay)


def steps(rows: Range, step_s: int) -> range:
    """The start of every step the range touches, in ns: multiples of the step since the epoch."""
    if step_s < 60 or step_s % 60:
        raise ValueError(f"a step of {step_s} s: measurements are kept by the minute, use a multiple of 60")
    step_ns = step_s * 1_000_000_000
    points = range(rows.start_ns - rows.start_ns % step_ns, rows.end_ns, step_ns)
    if len(points) > POINTS_LIMIT:
        raise ValueError(f"{len(points)} steps of {step_s} s: more than {POINTS_LIMIT}, use longer steps")
    return points


@dataclass(frozen=True, slots=True)
class CaptureLoss:
    """What the capture as a whole read and dropped, by the start of a step in ns."""

    read: Mapping[int, int] = field(default_factory=dict)
    dropped: Mapping[int, int] = field(default_factory=dict)

    @property
    def steps_read(self) -> int:
        """Steps in which the captures read a packet."""
        return sum(1 for packets in self.read.values() if packets)

    def total(self, start_ns: int) -> CaptureLoss:
        """All steps as one that begins at `start_ns`."""
        return CaptureLoss({start_ns: sum(self.read.values())}, {start_ns: sum(self.dropped.values())})

    def share_of_drops(self, start_ns: int, packets: int) -> float:
        """Packets dropped that may have been the scope's: nobody saw them, so they are shared by packets read."""
        read = self.read.get(start_ns, 0)
        dropped = self.dropped.get(start_ns, 0)
        # without any packet read, all of the drops may be the scope's
        return dropped * packets / read if read else float(dropped)


def coverage(packets: int, unseen: int, start_ns: int, loss: CaptureLoss) -> float | None:
    """Packets seen / (seen + dropped + acknowledged but never seen); None where nothing was seen.

    Errs low: a dropped packet that was also acknowledged counts on both sides.
    """
    return packets / (packets + unseen + loss.share_of_drops(start_ns, packets)) if packets else None


def point(start_ns: int, step_s: int, row: Mapping[str, Any] | None, loss: CaptureLoss) -> SlaPoint:
    """One group of rows in (None: nothing was measured), its figures out."""
    start = moment(start_ns)
    if start is None:
        raise ValueError("a point has a start")
    if row is None:
        return SlaPoint(
            start, step_s, 0, None, None, None, None, 0, None, None, None, 0, 0, 0, 0, valid=False
        )
    packets = row["packets_sum"]
    return SlaPoint(
        start=start,
        step_s=step_s,
        packets=packets,
        coverage=coverage(packets, row["unseen_sum"], start_ns, loss),
        rtt_p50_ns=_duration_ns(row["rtt_p50"]),
        rtt_p95_ns=_duration_ns(row["rtt_p95"]),
        rtt_p99_ns=_duration_ns(row["rtt_p99"]),
        rtt_samples=row["rtt_samples"],
        transaction_p50_ns=_duration_ns(row["txn_p50"]),
        transaction_p95_ns=_duration_ns(row["txn_p95"]),
        transaction_p99_ns=_duration_ns(row["txn_p99"]),
        transactions=row["transactions_sum"],
        good=row["good_sum"],
        lost_segments=row["lost_segments_sum"],
        data_segments=row["data_segments_sum"],
        valid=row["valid_rows"] > 0,
        missed=row["missed_sum"],
        causes=_causes(row),
    )


def _causes(row: Mapping[str, Any]) -> Causes:
    return Causes(
        rtt_p99_ns=_duration_ns(row["rtt_p99"]),
        transaction_p99_ns=_duration_ns(row["txn_p99"]),
        server_time_p99_ns=_duration_ns(row["own_p99"]),
        server_time_samples=row["own_samples"],
        transaction_samples=row["txn_samples"],
        rtt_min_ns=_duration_ns(row["rtt_min"]),
        rtt_p999_ns=_duration_ns(row["rtt_p999"]),
        **{name: row[f"{column}_sum"] for name, column in CAUSES.items()},
        one_sided=row["one_sided_sum"],
        one_sided_minutes=row["one_sided_rows"],
    )


def _duration_ns(bucket: int | None) -> int | None:
    """What a bucket stands for, ns."""
    return None if bucket is None else percentile([bucket], [1], 1.0)
