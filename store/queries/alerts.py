"""The alert queue: which alerts, how many, one of them whole, and which are like it.

The queue is ordered by the first packet of the finding, newest first, then by id: neither ever changes, so a page
is found by key and the last page costs what the first does. Every value a reader gives is bound, never pasted.
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from analyzers.findings import Finding
from store.answers import Alert, AlertCounts, AlertDetail, AlertEvent, AlertFilter, AlertPage, Alike
from store.client import Store
from store.queries import cursor
from store.rows import moment, searchable

PAGE_LIMIT: Final = 500
#: A search of more words, or of longer ones, is cut: nobody types it.
_TERMS_LIMIT: Final = 16
_TERM_LIMIT: Final = 100

#: `suppressed`: the policy keeps it out of the open queue. It is there for whoever asks for this state.
SUPPRESSED: Final = "suppressed"
STATES: Final = ("new", "acknowledged", "assigned", "closed", SUPPRESSED)

COLUMNS: Final = (
    "id, kind, title, severity, confidence, state, assignee, site, src_zone, dst_zone, src_ip, dst_ip, dst_port, "
    "service, conduit, techniques, `count`, toUnixTimestamp64Nano(first_ts) AS first_ns, "
    "toUnixTimestamp64Nano(last_ts) AS last_ns, toUnixTimestamp64Nano(detected_at) AS detected_ns, "
    "toUnixTimestamp64Nano(decided_at) AS decided_ns, seq"
)
_DECISION_S: Final = (
    "(toUnixTimestamp64Nano(assumeNotNull(decided_at)) - toUnixTimestamp64Nano(detected_at)) / 1e9"
)


def list_alerts(
    store: Store, f: AlertFilter, after: str = "", limit: int = 50, *, alike: int = 0
) -> AlertPage:
    """A page of the queue. `after` is the `next` of the page before; ValueError where it is no cursor.

    `alike`: of one site, kind and severity only so many a day, the newest; 0 shows all.
    """
    chosen, bound = conditions(f)
    where = chosen
    if alike:
        where = (
            f"(first_ts, id) IN (SELECT first_ts, id FROM alerts FINAL WHERE {chosen} ORDER BY first_ts DESC, id DESC "
            "LIMIT {alike:UInt32} BY site, kind, severity, toDate(first_ts))"
        )
        bound["alike"] = alike
    if after:
        first_ns, alert_id = cursor.decode(after, int, str)
        where += " AND (first_ts, id) < (fromUnixTimestamp64Nano({after_ns:Int64}, 'UTC'), {after_id:String})"
        bound |= {"after_ns": first_ns, "after_id": alert_id}
    wanted = max(1, min(limit, PAGE_LIMIT))
    newest = _newest_detection(store)
    # keys first: only then is the rest of these few rows read, and not of every alert of the filter
    rows = store.rows(
        f"SELECT {COLUMNS} FROM alerts FINAL WHERE (alerts.first_ts, id) IN "
        f"(SELECT first_ts, id FROM alerts FINAL WHERE {where} "
        "ORDER BY first_ts DESC, id DESC LIMIT {wanted:UInt32}) ORDER BY alerts.first_ts DESC, id DESC",
        bound | {"wanted": wanted + 1},
    ).to_pylist()
    page = rows[:wanted]
    more = len(rows) > wanted
    return AlertPage(
        alerts=tuple(as_alert(row) for row in page),
        next=cursor.encode(page[-1]["first_ns"], page[-1]["id"]) if more else "",
        newest=cursor.encode(newest),
        left_out=_left_out(store, chosen, bound, page) if alike and page else (),
    )


def _left_out(
    store: Store, chosen: str, bound: dict[str, Any], page: Sequence[dict[str, Any]]
) -> tuple[Alike, ...]:
    """What folding left out on the days of the page, most first."""
    rows = store.rows(
        "SELECT site, kind, severity, toDate(alerts.first_ts) AS day, count() - {alike:UInt32} AS more, "
        "toUnixTimestamp64Nano(min(alerts.first_ts)) AS first_ns, "
        "toUnixTimestamp64Nano(max(alerts.last_ts)) AS last_ns "
        f"FROM alerts FINAL WHERE {chosen} AND toDate(alerts.first_ts) >= {{oldest:Date32}} "
        "AND toDate(alerts.first_ts) <= {newest:Date32} GROUP BY site, kind, severity, day "
        "HAVING count() > {alike:UInt32} ORDER BY day DESC, more DESC, kind, severity DESC, site",
        bound | {"oldest": _day(page[-1]["first_ns"]), "newest": _day(page[0]["first_ns"])},
    )
    return tuple(Alike(**row) for row in rows.to_pylist())


def _day(ns: int) -> date:
    return _known(moment(ns)).date()


def newest(store: Store, f: AlertFilter, since_cursor: str) -> int:
    """How many alerts of the filter were detected after the page whose `newest` this is; empty counts all."""
    where, bound = conditions(f)
    if since_cursor:
        (since_ns,) = cursor.decode(since_cursor, int)
        where += " AND detected_at > fromUnixTimestamp64Nano({since:Int64}, 'UTC')"
        bound["since"] = since_ns
    return int(store.one(f"SELECT count() AS n FROM alerts FINAL WHERE {where}", bound))


def count_alerts(store: Store, f: AlertFilter) -> AlertCounts:
    """Counts for the chips: by severity without the severity chip, by state without the state chip.

    The times from detection to the first decision are over the filter without its state chip: a new alert has
    none. They are interpolated percentiles (Hyndman and Fan 1996, definition 7).
    """
    where, bound = conditions(replace(f, severities=(), states=(), suppressed=True))
    by_severity: Counter[int] = Counter()
    by_state: Counter[str] = Counter()
    total = 0
    for row in store.rows(
        f"SELECT severity, state, count() AS n FROM alerts FINAL WHERE {where} GROUP BY severity, state",
        bound,
    ).to_pylist():
        severity_chosen = not f.severities or row["severity"] in f.severities
        state_chosen = row["state"] in f.states if f.states else f.suppressed or row["state"] != SUPPRESSED
        by_severity[row["severity"]] += row["n"] if state_chosen else 0
        by_state[row["state"]] += row["n"] if severity_chosen else 0
        total += row["n"] if severity_chosen and state_chosen else 0
    median_s, p90_s = _decision_times(store, f)
    return AlertCounts({**by_severity}, {**by_state}, total, median_s, p90_s)


def get_alert(store: Store, id: str) -> AlertDetail | None:  # noqa: A002 - the reader's word
    """One alert with its finding, its life and the replay that found it last; None where no alert has the id."""
    rows = store.rows(f"SELECT {COLUMNS} FROM alerts FINAL WHERE id = {{id:String}}", {"id": id}).to_pylist()
    found = store.rows(
        "SELECT f.finding AS finding, r.capture_name AS capture_name, r.id AS replay FROM findings AS f "
        "INNER JOIN (SELECT id, capture_name, started_at FROM replays FINAL WHERE state IN ('judged', 'done')) AS r "
        "ON r.id = f.replay WHERE f.id = {id:String} ORDER BY r.started_at DESC, r.id DESC LIMIT 1",
        {"id": id},
    ).to_pylist()
    if not rows or not found:
        return None
    return AlertDetail(
        alert=as_alert(rows[0]),
        finding=Finding.model_validate_json(found[0]["finding"]),
        events=events(store, id),
        capture_name=found[0]["capture_name"],
        replay=found[0]["replay"],
    )


def ids_beginning(store: Store, start: str, limit: int = 3) -> tuple[str, ...]:
    """The first few ids of alerts that begin so."""
    rows = store.rows(
        "SELECT DISTINCT id FROM alerts WHERE startsWith(id, {start:String}) ORDER BY id LIMIT {limit:UInt32}",
        {"start": start, "limit": limit},
    )
    return tuple(rows.column("id").to_pylist())


def events(store: Store, id: str) -> tuple[AlertEvent, ...]:  # noqa: A002
    """The steps of an alert's life, oldest first; detection itself is the alert's `detected_at`."""
    rows = store.rows(
        "SELECT seq, toUnixTimestamp64Nano(at) AS at_ns, actor, action, from_state, to_state, assignee, note "
        "FROM finding_events WHERE id = {id:String} ORDER BY seq",
        {"id": id},
    ).to_pylist()
    return tuple(
        AlertEvent(
            seq=row["seq"],
            at=_known(moment(row["at_ns"])),
            actor=row["actor"],
            action=row["action"],
            from_state=row["from_state"],
            to_state=row["to_state"],
            assignee=row["assignee"],
            note=row["note"],
        )
        for row in rows
    )


def similar(store: Store, id: str, limit: int = 10) -> tuple[Alert, ...]:  # noqa: A002
    """Alerts like this one: of the same kind, or between the same two addresses; most alike first, then newest."""
    rows = store.rows(
        f"WITH (SELECT (kind, src_ip, dst_ip, src_zone, dst_zone) FROM alerts FINAL WHERE id = {{id:String}}) AS it, "
        "4 * (kind = it.1) + 2 * (src_ip = it.2) + 2 * (dst_ip = it.3) "
        "+ (src_zone = it.4) + (dst_zone = it.5) AS alike "
        f"SELECT {COLUMNS}, alike FROM alerts FINAL "
        "WHERE id != {id:String} AND (kind = it.1 OR (src_ip = it.2 AND dst_ip = it.3)) "
        "ORDER BY alike DESC, alerts.first_ts DESC, id DESC LIMIT {wanted:UInt32}",
        {"id": id, "wanted": max(1, min(limit, PAGE_LIMIT))},
    ).to_pylist()
    return tuple(as_alert(row) for row in rows)


def conditions(f: AlertFilter) -> tuple[str, dict[str, Any]]:
    """The condition on rows of `alerts` that a filter means, and the values bound to it."""
    where, bound = ["1"], dict[str, Any]()
    if f.severities:
        where.append("severity IN {severities:Array(UInt8)}")
        bound["severities"] = [severity for severity in f.severities if 0 <= severity < 256]
    if f.states:
        where.append("state IN {states:Array(String)}")
        bound["states"] = list(f.states)
    elif not f.suppressed:
        where.append(f"state != '{SUPPRESSED}'")
    if f.kinds:
        where.append("kind IN {kinds:Array(String)}")
        bound["kinds"] = list(f.kinds)
    if f.zone:
        where.append("(src_zone = {zone:String} OR dst_zone = {zone:String})")
        bound["zone"] = f.zone
    if terms := _terms(f.text):
        where.append("arrayAll(term -> position(search_text, term) > 0, {terms:Array(String)})")
        bound["terms"] = terms
    if f.replay:
        where.append("id IN (SELECT id FROM findings WHERE replay = {replay:String})")
        bound["replay"] = f.replay
    if f.site:
        where.append("site = {site:String}")
        bound["site"] = f.site
    if f.incident:
        where.append("id IN (SELECT id FROM incident_members FINAL WHERE incident = {incident:String})")
        bound["incident"] = f.incident
    return " AND ".join(where), bound


def as_alert(row: dict[str, Any]) -> Alert:
    """A row of `alerts` in, the answer out."""
    return Alert(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        severity=row["severity"],
        confidence=row["confidence"],
        state=row["state"],
        assignee=row["assignee"],
        site=row["site"],
        src_zone=row["src_zone"],
        dst_zone=row["dst_zone"],
        src_ip=row["src_ip"],
        dst_ip=row["dst_ip"],
        dst_port=row["dst_port"],
        service=row["service"],
        conduit=row["conduit"],
        techniques=tuple(row["techniques"]),
        count=row["count"],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        detected_at=_known(moment(row["detected_ns"])),
        decided_at=moment(row["decided_ns"]),
    )


def _terms(text: str) -> list[str]:
    return [term[:_TERM_LIMIT] for term in searchable(text).split()[:_TERMS_LIMIT]]


def _newest_detection(store: Store) -> int:
    return int(store.one("SELECT toUnixTimestamp64Nano(max(detected_at)) AS ns FROM alerts") or 0)


def _decision_times(store: Store, f: AlertFilter) -> tuple[float | None, float | None]:
    where, bound = conditions(replace(f, states=()))
    row = store.rows(
        f"SELECT count() AS n, quantilesExactInclusive(0.5, 0.9)({_DECISION_S}) AS q "
        f"FROM alerts FINAL WHERE decided_at IS NOT NULL AND {where}",
        bound,
    ).to_pylist()[0]
    if not row["n"]:
        return None, None
    median_s, p90_s = _pair(row["q"])
    return median_s, p90_s


def _pair(values: Sequence[float]) -> tuple[float, float]:
    first, second = values
    return first, second


def _known(at: datetime | None) -> datetime:
    if at is None:
        raise ValueError("a time that is never null came back as null")
    return at
