"""What the network shows around polls: connections tried and ended, silences, minutes that the capture did not see.

Rows of `flow_minutes` and `coverage` in, in any cut; answers to "what happened between these two moments" out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import polars as pl
import pyarrow as pa

from analyzers.capture_loss import CaptureLoss
from analyzers.compact import compact
from analyzers.polls.asked import CONVERSATION
from policy.traffic import Traffic
from policy.violations import MINUTE_NS

Conversation = tuple[bytes, bytes, int, int]

#: Partial sums are added up when there are this many of them.
_PARTS_LIMIT: Final = 64
#: Or rows in them.
_ROWS_LIMIT: Final = 50_000
#: Conversations of a minute that are remembered.
_CONVERSATIONS_LIMIT: Final = 20_000
#: What the sensor did not see is remembered for a day.
_BLIND_REMEMBERED_NS: Final = 24 * 60 * MINUTE_NS

_ATTEMPT: Final = (
    pl.col("syn_frame").is_not_null() & pl.col("syn_ack_frame").is_null() & ~pl.col("established")
)


def _both(name: str) -> pl.Expr:
    return pl.col(f"{name}_c2s").cast(pl.Int64) + pl.col(f"{name}_s2c").cast(pl.Int64)


class Around(NamedTuple):
    """What a conversation showed in the minutes of a stretch of time."""

    packets_c2s: int
    packets_s2c: int
    #: Connections that the client tried and the server did not accept, and the frame of the first.
    attempts: int
    attempt_frame: int
    attempt_ns: int
    #: RST of the server.
    refused: int
    repeated: int
    #: Connections that the client opened and that carried no good answer for longer than a slot.
    idle_openings: int = 0


class FlowEnd(NamedTuple):
    """How a flow ended, as far as it was seen."""

    last_ns: int
    closed_by_client: bool


@dataclass(slots=True)
class Facts:
    """Gathers what conversations and captures show; grows with conversations' minutes and flows."""

    _loss: CaptureLoss = field(default_factory=CaptureLoss)
    _minutes: list[pl.DataFrame] = field(default_factory=list)
    _flows: list[pl.DataFrame] = field(default_factory=list)
    _coverage: set[tuple[int, int]] = field(default_factory=set)
    #: Of the minutes that are forgotten: those in which an interface was silent, and those that may not be judged.
    _silent_before: set[int] = field(default_factory=set)
    _invalid_before: set[int] = field(default_factory=set)
    _forgotten_to_ns: int | None = None
    first_ns: int | None = None
    last_ns: int = 0
    #: The end of the last minute of which the decoder said how much it saw.
    seen_to_ns: int = 0
    #: Minutes of conversations that found no room: with more of them in a minute than are kept, those that said least.
    evicted: int = 0
    _rows: int = 0
    _added_up_at: int = _ROWS_LIMIT

    def feed(self, traffic: Traffic, coverage: pa.RecordBatch | None) -> None:
        """Add one batch."""
        if coverage is not None:
            self._loss.feed(coverage)
            told = pl.DataFrame(coverage).filter(pl.col("packets") > 0)
            minutes = told.select("interface_id", pl.col("minute").dt.epoch("ns")).unique()
            self._coverage.update(minutes.iter_rows())
            if minutes.height:
                self.seen_to_ns = max(self.seen_to_ns, int(minutes["minute"].max()) + MINUTE_NS)  # type: ignore[arg-type]
        rows = traffic.flow_minutes
        if rows.is_empty():
            return
        first_ns, last_ns = rows.select(
            first=pl.col("first_ts").min().dt.epoch("ns"), last=pl.col("last_ts").max().dt.epoch("ns")
        ).row(0)
        self.first_ns = first_ns if self.first_ns is None else min(self.first_ns, first_ns)
        self.last_ns = max(self.last_ns, last_ns)
        fresh = _of_minutes(rows)
        self._minutes.append(fresh)
        self._rows += fresh.height
        # Of connections that never came about there may be as many as somebody likes to forge.
        self._flows.append(_of_flows(rows.filter("established")))
        if len(self._minutes) > _PARTS_LIMIT or self._rows > self._added_up_at:
            self._add_up()
            self._flows = [_added_flows(self._flows)]

    def _add_up(self) -> None:
        added = _added_minutes(self._minutes)
        kept = _most(added)
        self.evicted += added.height - kept.height
        self._minutes, self._rows = [compact(kept)], kept.height
        self._added_up_at = max(_ROWS_LIMIT, 2 * kept.height)

    def forget(self, before_ns: int, flows: Iterable[int]) -> None:
        """Minutes and flows that ended before that are no longer needed, but for these flows."""
        kept = _added_minutes(self._minutes).filter(pl.col("minute") >= before_ns - MINUTE_NS)
        self._minutes, self._rows = [kept], kept.height
        recent = (pl.col("last_ns") >= before_ns) | pl.col("flow_id").is_in(list(flows))
        self._flows = [_added_flows(self._flows).filter(recent)]
        self._forget_minutes(before_ns - MINUTE_NS)

    def _forget_minutes(self, before_ns: int) -> None:
        """What the sensor did not see before is remembered for a day: an outage may be older than what is kept."""
        silent, invalid = _silent(self._coverage), self._invalid()
        self._coverage = {one for one in self._coverage if one[1] >= before_ns}
        first_ns = min((minute for _, minute in self._coverage), default=before_ns)
        self._loss.forget(before_ns)
        self._forgotten_to_ns = before_ns
        since_ns = before_ns - _BLIND_REMEMBERED_NS
        self._silent_before = {one for one in self._silent_before | silent if since_ns <= one < first_ns}
        self._invalid_before = {one for one in self._invalid_before | invalid if since_ns <= one < before_ns}

    def _invalid(self) -> frozenset[int]:
        """Minutes that are not forgotten and of which the capture lost too much."""
        minutes = self._loss.invalid_minutes().select(pl.col("minute").dt.epoch("ns"))["minute"].to_list()
        forgotten_ns = self._forgotten_to_ns
        return frozenset(one for one in minutes if forgotten_ns is None or one >= forgotten_ns)

    def seen(self) -> Seen:
        """What is known up to now."""
        return Seen(
            minutes=_added_minutes(self._minutes).with_columns(
                pl.col("attempt_frame", "attempt_ns", "attempt_last_ns").fill_null(0)
            ),
            flows=_added_flows(self._flows),
            invalid=self._invalid() | self._invalid_before,
            silent=_silent(self._coverage) | self._silent_before,
        )


@dataclass(frozen=True)
class Seen:
    """What Facts knew at one moment."""

    minutes: pl.DataFrame
    flows: pl.DataFrame
    #: Minutes of which the capture lost too much, and those in which one of its interfaces showed nothing at all.
    invalid: frozenset[int]
    silent: frozenset[int]

    @cached_property
    def _by_conversation(self) -> dict[tuple[Any, ...], pl.DataFrame]:
        return self.minutes.sort("minute").partition_by(CONVERSATION, as_dict=True, include_key=False)

    @cached_property
    def _rows(self) -> dict[Conversation, list[tuple[int, ...]]]:
        return {}

    def _minutes_of(self, conversation: Conversation) -> list[tuple[int, ...]]:
        if conversation not in self._rows:
            rows = self._by_conversation.get(conversation)
            self._rows[conversation] = [] if rows is None else rows.rows()
        return self._rows[conversation]

    @cached_property
    def _ends(self) -> dict[int, FlowEnd]:
        return {
            flow: FlowEnd(last_ns, fins > 0)
            for flow, last_ns, fins in self.flows.select("flow_id", "last_ns", "fins_c2s").iter_rows()
        }

    @cached_property
    def _gaps(self) -> frozenset[int]:
        return frozenset(self.flows.filter(pl.col("gap_bytes") > 0)["flow_id"].to_list())

    def end_of(self, flow_id: int) -> FlowEnd | None:
        """How a flow ended; None where it is not known."""
        return self._ends.get(flow_id)

    def has_gap(self, flow_id: int) -> bool:
        """Bytes of the flow's stream went by that the capture did not see."""
        return flow_id in self._gaps

    @cached_property
    def _openings(self) -> dict[tuple[Any, ...], list[int]]:
        opened = self.flows.filter("opened").group_by(CONVERSATION).agg(pl.col("first_ns").sort())
        return {tuple(key): times for *key, times in opened.iter_rows()}

    def around(self, conversation: Conversation, from_ns: int, to_ns: int, period_ns: int = 0) -> Around:
        """What a conversation showed in the whole minutes between two moments, and of connections tried, all.

        A connection that was opened more than a period before the end of it was tried in vain too: its first SYN was
        lost, or what was asked on it was.
        """
        openings = self._openings.get(conversation, [])
        idle = max(bisect_left(openings, to_ns - period_ns) - bisect_right(openings, from_ns), 0)
        rows = self._minutes_of(conversation)
        at = bisect_right(rows, (from_ns - MINUTE_NS,))
        packets_c2s = packets_s2c = attempts = frame = attempt_ns = refused = repeated = 0
        for row in rows[at:]:
            minute, c2s, s2c, tried, tried_frame, tried_ns, tried_last_ns, resets, again = row
            if minute >= to_ns:
                break
            if minute >= from_ns and minute + MINUTE_NS <= to_ns:
                packets_c2s, packets_s2c = packets_c2s + c2s, packets_s2c + s2c
                repeated += again
            if tried and tried_last_ns > from_ns and tried_ns < to_ns:
                attempts, refused = attempts + tried, refused + resets
                if not frame:
                    frame, attempt_ns = tried_frame, tried_ns
        return Around(packets_c2s, packets_s2c, attempts, frame, attempt_ns, refused, repeated, idle)


def _of_minutes(rows: pl.DataFrame) -> pl.DataFrame:
    tried = rows.with_columns(_ATTEMPT.alias("tried"), minute_ns=pl.col("minute").dt.epoch("ns"))
    first = pl.col("first_ts").dt.epoch("ns")
    return _summed_minutes(
        tried.select(
            *CONVERSATION,
            pl.col("minute_ns").alias("minute"),
            pl.col("packets_c2s").cast(pl.Int64),
            pl.col("packets_s2c").cast(pl.Int64),
            pl.col("tried").cast(pl.Int64).alias("attempts"),
            pl.when("tried").then(pl.col("syn_frame").cast(pl.Int64)).alias("attempt_frame"),
            pl.when("tried").then(first).alias("attempt_ns"),
            pl.when("tried").then(first).alias("attempt_last_ns"),
            pl.when("tried").then(pl.col("resets_s2c").cast(pl.Int64)).otherwise(0).alias("refused"),
            pl.col("retransmitted_segments_c2s").cast(pl.Int64).alias("repeated"),
        )
    )


def _summed_minutes(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(*CONVERSATION, "minute").agg(
        pl.col("packets_c2s", "packets_s2c", "attempts").sum(),
        pl.col("attempt_frame", "attempt_ns").min(),
        pl.col("attempt_last_ns").max(),
        pl.col("refused", "repeated").sum(),
    )


def _added_minutes(parts: list[pl.DataFrame]) -> pl.DataFrame:
    if not parts:
        return _of_minutes(Traffic.empty().flow_minutes)
    return _summed_minutes(pl.concat(parts))


def _most(minutes: pl.DataFrame) -> pl.DataFrame:
    """Of each minute the conversations that said most: first those that both sides took part in."""
    if minutes.height <= _CONVERSATIONS_LIMIT:
        return minutes
    narrow = minutes.select(
        "minute",
        *CONVERSATION,
        answered=pl.col("packets_s2c") > 0,
        packets=pl.col("packets_c2s") + pl.col("packets_s2c"),
    ).with_row_index("row")
    order = ["answered", "packets", *CONVERSATION]
    ordered = narrow.sort(order, descending=[True, True, *[False] * len(CONVERSATION)])
    place = ordered.select(place=pl.int_range(pl.len()).over("minute"))["place"]
    beyond = ordered["row"].filter(place >= _CONVERSATIONS_LIMIT)
    if beyond.is_empty():
        return minutes
    return minutes.filter(pl.repeat(value=True, n=minutes.height, eager=True).scatter(beyond, values=False))


def _of_flows(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("flow_id").agg(
        pl.col(CONVERSATION).first(),
        first_ns=pl.col("first_ts").dt.epoch("ns").min(),
        opened=pl.col("syn_frame").is_not_null().any(),
        last_ns=pl.col("last_ts").dt.epoch("ns").max(),
        fins_c2s=pl.col("fins_c2s").cast(pl.Int64).sum(),
        gap_bytes=_both("gap_bytes").sum(),
    )


def _added_flows(parts: list[pl.DataFrame]) -> pl.DataFrame:
    if not parts:
        return _of_flows(Traffic.empty().flow_minutes)
    return (
        pl.concat(parts)
        .group_by("flow_id")
        .agg(
            pl.col(CONVERSATION).first(),
            pl.col("first_ns").min(),
            pl.col("opened").any(),
            pl.col("last_ns").max(),
            pl.col("fins_c2s").sum(),
            pl.col("gap_bytes").sum(),
        )
    )


def _silent(coverage: set[tuple[int, int]]) -> frozenset[int]:
    """Minutes in which an interface that shows something at other times showed nothing."""
    if not coverage:
        return frozenset()
    minutes = {minute for _, minute in coverage}
    whole = range(min(minutes), max(minutes) + 1, MINUTE_NS)
    interfaces = {interface for interface, _ in coverage}
    return frozenset(
        minute for minute in whole if any((interface, minute) not in coverage for interface in interfaces)
    )
