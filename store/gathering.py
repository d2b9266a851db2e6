"""Alerts that belong to no incident yet in; rows of `incident_members` out.

Only the neighbours of what is new are read: whatever ties two findings is an address or a conduit that they share,
no more than an hour apart. What was written is looked at again until nothing changes: on a shared server another
process may have gathered alerts of the same site meanwhile. A process that dies in between leaves alerts without an
incident, which the next one to open the store gathers.
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from analyzers.incidents import APART_NS, OF_SCOPES, SERVICE_LEVELS, Tie, grouped
from store.migrate import schema_version
from store.rows import table_of
from store.schema import INCIDENT_MEMBERS, INCIDENTS_SINCE

if TYPE_CHECKING:
    from store.client import Store

#: Alerts that are gathered at a time: bounds memory.
PORTION: Final = 20_000
#: Values bound to one query: a server takes them in its address, which may have a million bytes.
_BOUND: Final = 2_000
#: What 64 bits of nanoseconds hold, an hour inside.
_EARLIEST_NS: Final = -(2**63) + APART_NS
_LATEST_NS: Final = 2**63 - 1 - APART_NS

# the life of an alert rewrites its row, never these columns: no FINAL, and each id once
_TIES: Final = """
SELECT id, site, kind, src_ip, dst_ip, conduit, toUnixTimestamp64Nano(alerts.first_ts) AS first_ns,
    toUnixTimestamp64Nano(alerts.last_ts) AS last_ns
FROM alerts WHERE """
_NEAR: Final = """site IN {sites:Array(String)}
    AND alerts.first_ts <= fromUnixTimestamp64Nano({until:Int64}, 'UTC')
    AND alerts.last_ts >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND """
_UNGATHERED: Final = "id NOT IN (SELECT id FROM incident_members)"
_OF_REPLAY: Final = " AND id IN (SELECT id FROM findings WHERE replay = {replay:String})"
_OF_THESE: Final = """id IN {ids:Array(String)}
    AND id NOT IN (SELECT id FROM incident_members WHERE id IN {ids:Array(String)})"""


def gather_alerts(
    store: Store, replay: str = "", portion: int = PORTION, ids: Sequence[str] | None = None
) -> int:
    """Put every alert that has no incident into one; how many rows it wrote.

    Of a replay, where one is named; of these ids, where they are given: as many as `pieces` gives at a time.
    """
    which = f"{_UNGATHERED}{_OF_REPLAY if replay else ''}" if ids is None else _OF_THESE
    wanted = f"{_TIES}{which} LIMIT 1 BY id LIMIT {{portion:UInt32}}"
    total = 0
    if schema_version(store) < INCIDENTS_SINCE:
        return total
    with store.change_lock:
        while new := _read(store, wanted, {"replay": replay, "portion": portion, "ids": list(ids or ())}):
            while written := _write(store, new):
                total += written
    return total


def _write(store: Store, new: Mapping[str, Tie]) -> int:
    """Store where the alerts belong, as far as that is not stored; how many rows that took."""
    ties = dict(new)
    for condition, values, bound in _shared_with(new.values()):
        for piece in pieces(values):
            ties |= _read(store, f"{_TIES}{_NEAR}{condition} LIMIT 1 BY id", {**bound, "values": piece})
    members = _members(store, "id", ties)
    # an incident's first finding, wherever in time: it names what the incident becomes
    for piece in pieces({row["incident"] for row in members.values()} - ties.keys()):
        ties |= _read(store, f"{_TIES}id IN {{values:Array(String)}} LIMIT 1 BY id", {"values": piece})
    members |= _members(store, "id", ties.keys() - members.keys())
    belongs = {}
    moved = {}
    for group in grouped([_known(tie, members) for tie in ties.values()]):
        for tie in group:
            belongs[tie.id] = group[0].id
            if tie.incident and tie.incident != group[0].id:
                moved[tie.incident] = group[0].id
    members |= _members(store, "incident", moved)
    belongs |= {name: moved[row["incident"]] for name, row in members.items() if row["incident"] in moved}
    rows = [
        {"id": name, "incident": incident, "seq": members[name]["seq"] + 1 if name in members else 1}
        for name, incident in sorted(belongs.items())
        if name not in members or members[name]["incident"] != incident
    ]
    store.insert(INCIDENT_MEMBERS.name, table_of(INCIDENT_MEMBERS, rows), f"gathered:{uuid.uuid4().hex}")
    return len(rows)


def _known(tie: Tie, members: Mapping[str, dict[str, Any]]) -> Tie:
    return replace(tie, incident=members[tie.id]["incident"]) if tie.id in members else tie


def _shared_with(new: Iterable[Tie]) -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    """Conditions on what an older alert shares with new ones, the values of it, and what else is bound."""
    new = list(new)
    degraded = [tie for tie in new if tie.kind in SERVICE_LEVELS]
    bound = {
        "sites": sorted({tie.site for tie in new}),
        "since": max(min(tie.first_ns for tie in new), _EARLIEST_NS) - APART_NS,
        "until": min(max(tie.last_ns for tie in new), _LATEST_NS) + APART_NS,
        "levels": sorted(SERVICE_LEVELS),
        "scopes": sorted(OF_SCOPES),
    }
    shared = "{values:Array(String)}"
    of_levels = f"(src_ip IN {shared} OR (kind IN {{levels:Array(String)}} AND dst_ip IN {shared}))"
    yield of_levels, {end for tie in new for end in (tie.src_ip, tie.dst_ip)} - {""}, bound
    yield f"dst_ip IN {shared}", {end for tie in degraded for end in (tie.src_ip, tie.dst_ip)} - {""}, bound
    of_scopes = f"kind IN {{scopes:Array(String)}} AND conduit IN {shared}"
    yield of_scopes, {tie.conduit for tie in new} - {""}, bound
    yield f"conduit IN {shared}", {tie.conduit for tie in degraded if tie.kind in OF_SCOPES} - {""}, bound


def _members(store: Store, column: str, values: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Rows of incident_members by alert, where the column is one of the values."""
    rows: dict[str, dict[str, Any]] = {}
    for piece in pieces(values):
        found = store.rows(
            f"SELECT id, incident, seq FROM incident_members FINAL WHERE {column} IN {{values:Array(String)}}",
            {"values": piece},
        )
        rows |= {row["id"]: row for row in found.to_pylist()}
    return rows


def pieces(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in order, as many at a time as one query is given."""
    ordered = sorted(values)
    return (ordered[start : start + _BOUND] for start in range(0, len(ordered), _BOUND))


def _read(store: Store, sql: str, bound: Mapping[str, Any]) -> dict[str, Tie]:
    return {row["id"]: Tie(**row) for row in store.rows(sql, bound).to_pylist()}
