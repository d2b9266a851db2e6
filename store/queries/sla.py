"""How is a zone, a conduit, a conversation doing? Measurements by step, in total, and the worst of them.

A zone's rows are those with the zone on either side, each once. Every step between start and end is answered:
one in which nothing was measured has no packets and None for every figure.
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sensors.addresses import address_text
from store.answers import ConduitUse, ConversationFigures, ScopeSummary, SlaPoint
from store.client import Store
from store.queries.measured import (
    COUNTED,
    CURRENT_REPLAYS,
    FIGURE_NAMES,
    FIGURES,
    MINUTE_NS,
    CaptureLoss,
    Range,
    point,
    steps,
    time_range,
)
from store.queries.rolled import measurements, scopes
from store.rollups import SLA_DAYS
from store.rows import moment

_ZONE: Final = "(from_zone = {scope:String} OR to_zone = {scope:String})"
#: Both zones of a row, once where they are the same.
_EACH_ZONE: Final = "arrayJoin(arrayDistinct([from_zone, to_zone]))"
_CONDUIT: Final = "conduit = {scope:String}"
_USE: Final = (
    "conduit, from_zone, to_zone, groupUniqArrayIf(service, service != '') AS services, "
    "sum(packets) AS packets_sum, argMin(first_frame, (first_ts, first_frame)) AS frame"
)
_BETWEEN_ZONES: Final = "(from_zone != to_zone OR from_zone = '')"
#: The start of the step that a row's minute is in, ns; whole for times before 1970 too.
_STEP: Final = (
    "toUnixTimestamp64Nano(minute) - toInt64(positiveModulo(toUnixTimestamp64Nano(minute), {step:Int64}))"
)


def zone_series(
    store: Store, zone: str, start: datetime, end: datetime, step_s: int, *, site: str = "", replay: str = ""
) -> list[SlaPoint]:
    """A zone's figures by step, gaps as empty points. Steps are multiples of `step_s` since the epoch, UTC."""
    return _series(store, _ZONE, zone, time_range(start, end, site, replay), step_s)


def conduit_series(
    store: Store,
    conduit: str,
    start: datetime,
    end: datetime,
    step_s: int,
    *,
    site: str = "",
    replay: str = "",
) -> list[SlaPoint]:
    """A conduit's figures by step, gaps as empty points. Steps are multiples of `step_s` since the epoch, UTC."""
    return _series(store, _CONDUIT, conduit, time_range(start, end, site, replay), step_s)


def zone_summary(
    store: Store, zone: str, start: datetime, end: datetime, *, site: str = "", replay: str = ""
) -> ScopeSummary:
    """A zone's figures over the whole range, and its worst conversation."""
    return _summary(store, _ZONE, zone, time_range(start, end, site, replay))


def conduit_summary(
    store: Store, conduit: str, start: datetime, end: datetime, *, site: str = "", replay: str = ""
) -> ScopeSummary:
    """A conduit's figures over the whole range, and its worst conversation."""
    return _summary(store, _CONDUIT, conduit, time_range(start, end, site, replay))


def zone_summaries(
    store: Store, start: datetime, end: datetime, *, site: str = "", replay: str = ""
) -> dict[str, ScopeSummary]:
    """Every zone that was measured and its figures over the whole range, without its worst conversation."""
    rows = time_range(start, end, site, replay)
    found = store.rows(
        f"SELECT zone, {FIGURE_NAMES} FROM ({scopes(f'{_EACH_ZONE} AS zone, {FIGURES}', rows, '1')} "
        f"GROUP BY zone) WHERE zone != ''",
        rows.parameters(),
    ).to_pylist()
    by_minute = _capture_loss(store, rows, MINUTE_NS)
    loss = by_minute.total(rows.start_ns)
    minutes = _minutes(store, _EACH_ZONE, "1", "", rows)
    return {
        row["zone"]: ScopeSummary(
            scope=row["zone"],
            total=point(rows.start_ns, _whole_s(rows), row, loss),
            minutes_seen=minutes[row["zone"]].seen,
            minutes_valid=minutes[row["zone"]].valid,
            worst_conversation="",
            worst_p99_ns=None,
            last_packet=moment(minutes[row["zone"]].last_ns),
            minutes_excluded=minutes[row["zone"]].excluded,
            minutes_held=by_minute.steps_read,
        )
        for row in sorted(found, key=lambda row: str(row["zone"]))
    }


def zones_series(
    store: Store, start: datetime, end: datetime, step_s: int, *, site: str = "", replay: str = ""
) -> dict[str, list[SlaPoint]]:
    """Every zone that was measured and its figures by step, gaps as empty points."""
    return _all_series(store, _EACH_ZONE, time_range(start, end, site, replay), step_s)


def conduit_hours(
    store: Store, start: datetime, end: datetime, step_s: int = 3600, *, site: str = "", replay: str = ""
) -> dict[str, list[SlaPoint]]:
    """For each conduit that was used, its figures by step (by the hour), gaps as empty points."""
    return _all_series(store, "conduit", time_range(start, end, site, replay), step_s)


def conduit_use(
    store: Store, start: datetime, end: datetime, *, site: str = "", replay: str = ""
) -> list[ConduitUse]:
    """What went between zones, busiest first; traffic inside a zone is left out, traffic outside all zones is not.

    `findings` counts those between the two zones that overlap the range.
    """
    rows = time_range(start, end, site, replay)
    found = store.rows(
        f"{measurements(_USE, rows, _BETWEEN_ZONES, SLA_DAYS)} "
        "GROUP BY conduit, from_zone, to_zone ORDER BY packets_sum DESC, from_zone, to_zone, conduit",
        rows.parameters(),
    ).to_pylist()
    findings = _findings_by_pair(store, rows)
    return [
        ConduitUse(
            conduit=row["conduit"],
            from_zone=row["from_zone"],
            to_zone=row["to_zone"],
            services=tuple(sorted(row["services"])),
            packets=row["packets_sum"],
            findings=findings.get((row["from_zone"], row["to_zone"]), 0),
            first_frame=row["frame"],
        )
        for row in found
    ]


def worst_conversations(
    store: Store, zone: str, start: datetime, end: datetime, limit: int, *, site: str = "", replay: str = ""
) -> list[ConversationFigures]:
    """The zone's conversations, slowest first: by p99 of transactions, then of round trips, then by loss."""
    rows = time_range(start, end, site, replay)
    loss = _capture_loss(store, rows, MINUTE_NS).total(rows.start_ns)
    return _conversations(store, _ZONE, zone, rows, loss)[:limit]


def time_span(store: Store, *, site: str = "", replay: str = "") -> tuple[datetime, datetime] | None:
    """First and last packet of what was measured; None where nothing was."""
    rows = Range(0, 0, site, replay)
    found = store.rows(
        "SELECT toUnixTimestamp64Nano(min(first.1)) AS first, toUnixTimestamp64Nano(max(last_ts)) AS last, "
        f"count() AS n FROM sla_hours WHERE {rows.whose()}",
        rows.parameters(),
    ).to_pylist()[0]
    first, last = moment(found["first"]), moment(found["last"])
    return (first, last) if found["n"] and first and last else None


def _all_series(store: Store, key: str, rows: Range, step_s: int) -> dict[str, list[SlaPoint]]:
    """The series of every value of the key but the empty one; a row counts for each value the key has for it."""
    starts = steps(rows, step_s)
    each = scopes(f"{key} AS scope, {_STEP} AS at, {FIGURES}", rows, "1", starts.step)
    found = store.rows(
        f"SELECT scope, at, {FIGURE_NAMES} FROM ({each} GROUP BY scope, at) WHERE scope != ''",
        rows.parameters(step=starts.step),
    ).to_pylist()
    loss = _capture_loss(store, rows, starts.step)
    by_scope: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in found:
        by_scope[row["scope"]][row["at"]] = row
    return {
        scope: [point(at, step_s, by_step.get(at), loss) for at in starts]
        for scope, by_step in sorted(by_scope.items())
    }


def _series(store: Store, condition: str, scope: str, rows: Range, step_s: int) -> list[SlaPoint]:
    starts = steps(rows, step_s)
    each = scopes(f"{_STEP} AS at, {FIGURES}", rows, condition, starts.step)
    found = store.rows(
        f"SELECT at, {FIGURE_NAMES} FROM ({each} GROUP BY at)",
        rows.parameters(scope=scope, step=starts.step),
    ).to_pylist()
    by_step = {row["at"]: row for row in found}
    loss = _capture_loss(store, rows, starts.step)
    return [point(at, step_s, by_step.get(at), loss) for at in starts]


def _summary(store: Store, condition: str, scope: str, rows: Range) -> ScopeSummary:
    by_minute = _capture_loss(store, rows, MINUTE_NS)
    loss = by_minute.total(rows.start_ns)
    found = store.rows(
        f"SELECT n, {FIGURE_NAMES} FROM ({scopes(f'count() AS n, {FIGURES}', rows, condition)})",
        rows.parameters(scope=scope),
    ).to_pylist()[0]
    minutes = _minutes(store, "''", condition, scope, rows).get("", _Minutes())
    worst = _worst(_conversations(store, condition, scope, rows, loss))
    return ScopeSummary(
        scope=scope,
        total=point(rows.start_ns, _whole_s(rows), found if found["n"] else None, loss),
        minutes_seen=minutes.seen,
        minutes_valid=minutes.valid,
        worst_conversation=worst[0],
        worst_p99_ns=worst[1],
        last_packet=moment(minutes.last_ns) if minutes.any_seen else None,
        worst_indicator=worst[2],
        minutes_excluded=minutes.excluded,
        minutes_held=by_minute.steps_read,
    )


def _worst(conversations: list[ConversationFigures]) -> tuple[str, int | None, str]:
    """Label, p99 in ns and its indicator of the slowest conversation that has one."""
    for conversation in conversations[:1]:
        total = conversation.total
        if total.transaction_p99_ns is not None:
            return conversation.label, total.transaction_p99_ns, "transaction"
        if total.rtt_p99_ns is not None:
            return conversation.label, total.rtt_p99_ns, "rtt"
    return "", None, ""


@dataclass(slots=True)
class _Minutes:
    """The minutes with traffic, how many of them say something about the network, and the last packet in ns."""

    seen: int = 0
    valid: int = 0
    last_ns: int = -(2**63)
    excluded: int = 0

    @property
    def any_seen(self) -> bool:
        """Whether there was traffic at all."""
        return bool(self.seen or self.excluded)


def _minutes(store: Store, key: str, condition: str, scope: str, rows: Range) -> dict[str, _Minutes]:
    each = (
        f"{key} AS scope, hour, groupBitOr(if(exclusion = '', seen, 0)) AS due, groupBitOr(if({COUNTED}, seen, 0)) "
        "AS fit, groupBitOr(if(exclusion != '', seen, 0)) AS left_out, max(last_ts) AS latest"
    )
    found = store.rows(
        "SELECT scope, sum(bitCount(due)) AS seen, sum(bitCount(fit)) AS valid_minutes, "
        "sum(bitCount(left_out)) AS excluded, toUnixTimestamp64Nano(max(latest)) AS last FROM "
        f"({scopes(each, rows, condition)} GROUP BY scope, hour) GROUP BY scope",
        rows.parameters(scope=scope),
    ).to_pylist()
    by_scope: dict[str, _Minutes] = defaultdict(_Minutes)
    by_scope.update(
        {
            row["scope"]: _Minutes(row["seen"], row["valid_minutes"], row["last"], row["excluded"])
            for row in found
            if row["seen"] or row["excluded"]
        }
    )
    return by_scope


def _conversations(
    store: Store, condition: str, scope: str, rows: Range, loss: CaptureLoss
) -> list[ConversationFigures]:
    keys = "client_ip, server_ip, server_port, service, from_zone, to_zone, conduit"
    what = f"{keys}, argMin(first_frame, (first_ts, first_frame)) AS frame, {FIGURES}"
    found = store.rows(
        f"SELECT {keys}, frame, {FIGURE_NAMES} FROM ({measurements(what, rows, condition, SLA_DAYS)} "
        f"GROUP BY {keys})",
        rows.parameters(scope=scope),
    ).to_pylist()
    conversations = [
        ConversationFigures(
            client_ip=address_text(row["client_ip"]),
            server_ip=address_text(row["server_ip"]),
            server_port=row["server_port"],
            service=row["service"],
            from_zone=row["from_zone"],
            to_zone=row["to_zone"],
            conduit=row["conduit"],
            first_frame=row["frame"],
            total=point(rows.start_ns, _whole_s(rows), row, loss),
        )
        for row in found
    ]
    return sorted(conversations, key=_slowest_first)


def _slowest_first(conversation: ConversationFigures) -> tuple[object, ...]:
    total = conversation.total
    return (
        -(total.transaction_p99_ns or 0),
        -(total.rtt_p99_ns or 0),
        -(total.loss or 0.0),
        conversation.label,
        conversation.service,
    )


def _capture_loss(store: Store, rows: Range, step_ns: int) -> CaptureLoss:
    """Packets read and dropped by the captures themselves, by step: drops have no zone."""
    found = store.rows(
        f"SELECT {_STEP} AS at, sum(packets) AS read, sum(dropped_packets) AS dropped "
        f"FROM coverage WHERE {rows.where()} GROUP BY at",
        rows.parameters(step=step_ns),
    ).to_pylist()
    return CaptureLoss(
        {row["at"]: row["read"] for row in found}, {row["at"]: row["dropped"] for row in found}
    )


def _whole_s(rows: Range) -> int:
    """The range as one step."""
    return max(60, -(-(rows.end_ns - rows.start_ns) // 1_000_000_000))


def _findings_by_pair(store: Store, rows: Range) -> dict[tuple[str, str], int]:
    conditions = [
        "last_ts >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')",
        "first_ts < fromUnixTimestamp64Nano({end:Int64}, 'UTC')",
        "replay = {replay:String}" if rows.replay else f"replay IN {CURRENT_REPLAYS}",
    ]
    if rows.site:
        conditions.append("site = {site:String}")
    found = store.rows(
        "SELECT src_zone, dst_zone, uniqExact(id) AS n FROM findings "
        f"WHERE {' AND '.join(conditions)} GROUP BY src_zone, dst_zone",
        rows.parameters(),
    ).to_pylist()
    return {(row["src_zone"], row["dst_zone"]): row["n"] for row in found}
