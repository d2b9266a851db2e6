"""Incidents: which there are, and one of them with its time line.

The list is ordered by the last packet, latest first, then by id. An incident grows while a session goes on, and two
may turn out to be one: the id of any of its alerts, and so every id that it ever had, leads to it.
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from analyzers.findings import Finding, canonical_order
from store.answers import AlertEvent, AlertFilter, Alike, Incident, IncidentDetail, IncidentPage
from store.client import Store
from store.queries import cursor
from store.queries.alerts import COLUMNS, as_alert, conditions
from store.rows import moment

PAGE_LIMIT: Final = 500
#: Addresses named of each side; all are counted.
_NAMED: Final = 8
#: Of one incident's time line: alerts of each kind and severity, and decisions.
ALIKE: Final = 5
_DECISIONS: Final = 500

#: What is suppressed tells of an incident only where nothing else does.
_WORST: Final = "(a.state = 'suppressed', -toInt16(a.severity), a.first_ts, a.kind, a.id)"
# what finds and orders a page
_KEYS: Final = f"""
SELECT m.incident AS incident, max(a.last_ts) AS last, argMin(a.severity, {_WORST}) AS worst, any(a.site) AS at,
    argMin(a.kind, {_WORST}) AS kind, min(a.first_ts) AS first
FROM alerts AS a FINAL INNER JOIN (SELECT id, incident FROM incident_members FINAL) AS m ON m.id = a.id
GROUP BY m.incident
"""
_WHOLE: Final = f"""
SELECT m.incident AS id, any(a.site) AS site, argMin(a.kind, {_WORST}) AS kind, argMin(a.title, {_WORST}) AS title,
    argMin(a.severity, {_WORST}) AS severity, toUnixTimestamp64Nano(min(a.first_ts)) AS first_ns,
    toUnixTimestamp64Nano(max(a.last_ts)) AS last_ns, countIf(a.state != 'suppressed') AS alerts,
    countIf(a.state = 'new') AS new,
    countIf(a.state = 'closed') AS closed, countIf(a.state = 'suppressed') AS suppressed,
    arraySort(groupUniqArray(a.kind)) AS kinds,
    arraySort(arrayFilter(z -> z != '', groupUniqArrayArray([a.src_zone, a.dst_zone]))) AS zones,
    arraySlice(arraySort(groupUniqArrayIf(a.src_ip, a.src_ip != '')), 1, {_NAMED}) AS sources,
    uniqExactIf(a.src_ip, a.src_ip != '') AS source_count,
    arraySlice(arraySort(groupUniqArrayIf(a.dst_ip, a.dst_ip != '')), 1, {_NAMED}) AS targets,
    uniqExactIf(a.dst_ip, a.dst_ip != '') AS target_count
FROM alerts AS a FINAL INNER JOIN
    (SELECT id, incident FROM incident_members FINAL WHERE incident IN {{incidents:Array(String)}}) AS m ON m.id = a.id
GROUP BY m.incident
"""
#: One row: how many incidents of a site are in each state.
_STATES: Final = """
SELECT countIf(alerts = untouched) AS new, countIf(alerts != untouched AND alerts = over) AS closed,
    count() - new - closed AS open
FROM (
    SELECT count() AS alerts, countIf(a.state = 'new') AS untouched,
        countIf(a.state IN ('closed', 'suppressed')) AS over, countIf(a.state = 'suppressed') AS quiet
    FROM alerts AS a FINAL INNER JOIN (SELECT id, incident FROM incident_members FINAL) AS m ON m.id = a.id
    WHERE a.site = {site:String} GROUP BY m.incident
)
WHERE quiet < alerts
"""


def list_incidents(
    store: Store, f: AlertFilter, after: str = "", limit: int = 50, *, alike: int = 0
) -> IncidentPage:
    """A page of the incidents that have an alert of the filter. ValueError where `after` is no cursor.

    `alike`: of one site, kind and severity (of the gravest alert) only so many a day, the latest; 0 shows all.
    """
    having, bound = _chosen(f)
    keys = f"{_KEYS}{having}"
    order = "ORDER BY last DESC, incident DESC"
    folded = f"{keys} {order} LIMIT {{alike:UInt32}} BY at, kind, worst, toDate(last)" if alike else keys
    where = "1"
    bound["alike"] = alike
    if after:
        last_ns, incident = cursor.decode(after, int, str)
        where = "(last, incident) < (fromUnixTimestamp64Nano({after_ns:Int64}, 'UTC'), {after_id:String})"
        bound |= {"after_ns": last_ns, "after_id": incident}
    wanted = max(1, min(limit, PAGE_LIMIT))
    rows = store.rows(
        f"SELECT incident FROM ({folded}) WHERE {where} {order} LIMIT {{wanted:UInt32}}",
        bound | {"wanted": wanted + 1},
    )
    page = _whole(store, rows.column("incident").to_pylist()[:wanted])
    return IncidentPage(
        incidents=page,
        next=cursor.encode(page[-1].last_ns, page[-1].id) if rows.num_rows > wanted else "",
        total=int(store.one(f"SELECT count() AS n FROM ({keys})", bound)),
        left_out=_left_out(store, keys, bound, page) if alike and page else (),
    )


def incident_states(store: Store, site: str) -> Mapping[str, int]:
    """How many incidents of a site are new, open and closed (`Incident.state`), of those that are not suppressed."""
    rows = store.rows(_STATES, {"site": site}).to_pylist()
    return {state: rows[0][state] for state in ("new", "open", "closed")}


def incident_of(store: Store, id: str) -> str:  # noqa: A002 - the reader's word
    """The incident that an alert, or an incident of that id, belongs to; empty where there is none."""
    found = store.one("SELECT incident FROM incident_members FINAL WHERE id = {id:String}", {"id": id})
    return str(found or "")


def incident_summary(store: Store, id: str) -> Incident | None:  # noqa: A002
    """The incident that an alert belongs to, without its time line."""
    incident = incident_of(store, id)
    whole = _whole(store, [incident]) if incident else ()
    return whole[0] if whole else None


def findings_of_incident(store: Store, id: str) -> tuple[Finding, ...]:  # noqa: A002
    """Every finding of the incident that an alert belongs to, whole, in canonical order."""
    rows = store.rows(
        "SELECT id, any(finding) AS finding FROM findings WHERE replay IN "
        "(SELECT id FROM replays FINAL WHERE state IN ('judged', 'done')) "
        "AND id IN (SELECT id FROM incident_members FINAL WHERE incident = {incident:String}) GROUP BY id",
        {"incident": incident_of(store, id)},
    )
    findings = [Finding.model_validate_json(text) for text in rows.column("finding").to_pylist()]
    return tuple(sorted(findings, key=canonical_order))


def get_incident(store: Store, id: str) -> IncidentDetail | None:  # noqa: A002
    """One incident with its time line, by its id or that of any of its alerts; None where there is none."""
    incident = incident_summary(store, id)
    if incident is None:
        return None
    where, bound = conditions(AlertFilter(incident=incident.id, suppressed=True))
    bound["alike"] = ALIKE
    alerts = store.rows(
        f"SELECT {COLUMNS} FROM alerts FINAL WHERE {where} ORDER BY alerts.first_ts, kind, id "
        "LIMIT {alike:UInt32} BY kind, severity",
        bound,
    )
    rest = store.rows(
        "SELECT kind, severity, any(site) AS site, count() - {alike:UInt32} AS more, "
        "toUnixTimestamp64Nano(min(alerts.first_ts)) AS first_ns, "
        "toUnixTimestamp64Nano(max(alerts.last_ts)) AS last_ns "
        f"FROM alerts FINAL WHERE {where} GROUP BY kind, severity HAVING count() > {{alike:UInt32}} "
        "ORDER BY severity DESC, kind",
        bound,
    )
    return IncidentDetail(
        incident=incident,
        alerts=tuple(as_alert(row) for row in alerts.to_pylist()),
        left_out=tuple(Alike(day=None, **row) for row in rest.to_pylist()),
        decisions=_decisions(store, where, bound),
    )


def _decisions(store: Store, where: str, bound: dict[str, Any]) -> tuple[tuple[str, AlertEvent], ...]:
    """Who decided what about the incident's alerts, oldest first."""
    rows = store.rows(
        "SELECT id, seq, toUnixTimestamp64Nano(at) AS at_ns, actor, action, from_state, to_state, assignee, note "
        f"FROM finding_events WHERE {where} ORDER BY at, id, seq LIMIT {_DECISIONS}",
        bound,
    ).to_pylist()
    found = []
    for row in rows:
        at = moment(row.pop("at_ns"))
        if at is None:
            raise ValueError("a decision's time came back as null")
        found.append((row.pop("id"), AlertEvent(at=at, **row)))
    return tuple(found)


def _chosen(f: AlertFilter) -> tuple[str, dict[str, Any]]:
    if f == AlertFilter():
        return " HAVING countIf(a.state != 'suppressed') > 0", {}
    where, bound = conditions(f)
    having = (
        " HAVING incident IN (SELECT incident FROM incident_members FINAL WHERE id IN "
        f"(SELECT id FROM alerts FINAL WHERE {where}))"
    )
    return having, bound


def _whole(store: Store, incidents: Sequence[str]) -> tuple[Incident, ...]:
    """The incidents in the order given."""
    if not incidents:
        return ()
    rows = store.rows(_WHOLE, {"incidents": list(incidents)}).to_pylist()
    found = {row["id"]: _incident(row) for row in rows}
    return tuple(found[incident] for incident in incidents)


def _incident(row: dict[str, Any]) -> Incident:
    lists = {name: tuple(row[name]) for name in ("kinds", "zones", "sources", "targets")}
    return Incident(**(row | lists))


def _left_out(store: Store, keys: str, bound: dict[str, Any], page: Sequence[Incident]) -> tuple[Alike, ...]:
    """What folding left out on the days of the page, most first."""
    rows = store.rows(
        "SELECT at AS site, kind, worst AS severity, toDate(last) AS day, count() - {alike:UInt32} AS more, "
        "toUnixTimestamp64Nano(min(first)) AS first_ns, toUnixTimestamp64Nano(max(last)) AS last_ns "
        f"FROM ({keys}) WHERE day >= {{oldest:Date32}} AND day <= {{newest:Date32}} "
        "GROUP BY site, kind, severity, day HAVING count() > {alike:UInt32} "
        "ORDER BY day DESC, more DESC, kind, severity DESC, site",
        bound | {"oldest": _day(page[-1].last_ns), "newest": _day(page[0].last_ns)},
    )
    return tuple(Alike(**row) for row in rows.to_pylist())


def _day(ns: int) -> date:
    at = moment(ns)
    if at is None:
        raise ValueError("an incident without a time")
    return at.date()
