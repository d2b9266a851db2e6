"""An alert's life: who decided what. Every step is one more row of finding_events; nothing is changed or deleted.

from                          action        to             needs
new                           acknowledge   acknowledged   (the actor has it afterwards)
new, acknowledged, assigned   assign        assigned       assignee
new, acknowledged, assigned   close         closed         note: the reason
acknowledged, assigned,
closed, suppressed            reopen        new            (undo; the finding keeps its suppression)
"""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa

from store.answers import AlertDetail, AlertFilter
from store.client import Store
from store.errors import InvalidTransition, UnknownAlert
from store.queries.alerts import conditions, get_alert
from store.rows import storable, table_of
from store.schema import ALERTS, FINDING_EVENTS

Action = Literal["acknowledge", "assign", "close", "reopen"]

#: action -> (states it starts from, state it leads to)
TRANSITIONS: Final[dict[str, tuple[frozenset[str], str]]] = {
    "acknowledge": (frozenset({"new"}), "acknowledged"),
    "assign": (frozenset({"new", "acknowledged", "assigned"}), "assigned"),
    "close": (frozenset({"new", "acknowledged", "assigned"}), "closed"),
    "reopen": (frozenset({"acknowledged", "assigned", "closed", "suppressed"}), "new"),
}

_NAMES: Final = tuple(column.name for column in ALERTS.columns)
_TIMES: Final = ("first_ts", "last_ts", "detected_at", "decided_at")
_WHOLE: Final = ", ".join(
    f"toUnixTimestamp64Nano(alerts.{name}) AS {name}" if name in _TIMES else f"alerts.`{name}` AS `{name}`"
    for name in _NAMES
)
#: Alerts that one decision over a filter changes at a time.
_BULK_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Decision:
    action: str
    actor: str
    note: str
    assignee: str
    at_ns: int
    request: str


def decide(
    store: Store,
    id: str,  # noqa: A002 - the reader's word
    action: Action,
    actor: str,
    note: str = "",
    assignee: str = "",
) -> AlertDetail:
    """Take one step in an alert's life; the alert as it is afterwards.

    UnknownAlert where no alert has the id; InvalidTransition where its state does not allow the action, the
    action lacks its assignee or its note, or somebody else acted at the same moment.
    """
    decision = _decision(action, actor, note, assignee)
    with store.change_lock:
        rows = _alerts(store, "id = {id:String}", {"id": id}, 1)
        if not rows:
            raise UnknownAlert(f"no alert has the id {id}")
        row = _as_events_say(store, rows[0])
        sources, _ = TRANSITIONS[decision.action]
        if row["state"] not in sources:
            allowed = [name for name, (states, _) in TRANSITIONS.items() if row["state"] in states]
            raise InvalidTransition(
                f"alert {id} is {row['state']}: it cannot {decision.action}; it can {' or '.join(allowed)}"
            )
        taken = _append(store, [row], decision)
        if not taken:
            raise InvalidTransition(f"somebody else acted on alert {id} at the same moment: look at it again")
    detail = get_alert(store, id)
    if detail is None:
        raise UnknownAlert(f"no alert has the id {id}")
    return detail


def decide_all(
    store: Store, f: AlertFilter, action: Action, actor: str, note: str = "", assignee: str = ""
) -> int:
    """Take the same step for every alert of the filter whose state allows it; how many there were.

    InvalidTransition where the action lacks its assignee or its note.
    """
    decision = _decision(action, actor, note, assignee)
    where, bound = conditions(f)
    sources, target = TRANSITIONS[decision.action]
    # an alert that is already there (assign: assigned) is not taken again, else the same rows come for ever
    where += " AND state IN {sources:Array(String)} AND state != {target:String}"
    bound |= {"sources": sorted(sources), "target": target}
    total = 0
    with store.change_lock:
        rebuild(store)
        while rows := _alerts(store, where, bound, _BULK_ROWS):
            taken = _append(store, rows, decision)
            total += taken
            if taken < len(rows):
                raise InvalidTransition(
                    f"somebody else acted on alerts of this filter at the same moment: {total} were changed; "
                    "look at the rest again"
                )
    return total


def rebuild(store: Store) -> int:
    """Bring alerts whose last event is newer than their row up to it; how many. A crash can come in between."""
    rows = store.rows(
        "SELECT id FROM (SELECT id, max(seq) AS last FROM finding_events GROUP BY id) AS e "
        "INNER JOIN (SELECT id, max(seq) AS shown FROM alerts GROUP BY id) AS a USING (id) WHERE last > shown"
    )
    behind = rows.column("id").to_pylist()
    for alert_id in behind:
        for row in _alerts(store, "id = {id:String}", {"id": alert_id}, 1):
            current = _as_events_say(store, row)
            store.insert(ALERTS.name, table_of(ALERTS, [current]), f"alert:{alert_id}:{current['seq']}")
    return len(behind)


def _decision(action: str, actor: str, note: str, assignee: str) -> _Decision:
    if action not in TRANSITIONS:
        raise InvalidTransition(f"{action} is no action: use {', '.join(TRANSITIONS)}")
    actor, note, assignee = (storable(text).strip() for text in (actor, note, assignee))
    if not actor:
        raise InvalidTransition(f"{action} needs to know who acts")
    if action == "assign" and not assignee:
        raise InvalidTransition("assign needs somebody to assign the alert to")
    if action == "close" and not note:
        raise InvalidTransition("close needs a note with the reason")
    return _Decision(action, actor, note, assignee, time.time_ns(), uuid.uuid4().hex)


def _alerts(store: Store, where: str, bound: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.rows(
        f"SELECT {_WHOLE} FROM alerts FINAL WHERE {where} ORDER BY alerts.first_ts, id LIMIT {{many:UInt32}}",
        bound | {"many": limit},
    ).to_pylist()
    return rows


def _as_events_say(store: Store, row: dict[str, Any]) -> dict[str, Any]:
    """The alert's row, corrected by its events where a crash left it behind them."""
    last = store.rows(
        "SELECT seq, to_state, assignee FROM finding_events WHERE id = {id:String} ORDER BY seq DESC LIMIT 1",
        {"id": row["id"]},
    ).to_pylist()
    if not last or last[0]["seq"] <= row["seq"]:
        return row
    decided = row["decided_at"] or store.one(
        "SELECT toUnixTimestamp64Nano(min(at)) AS ns FROM finding_events WHERE id = {id:String}",
        {"id": row["id"]},
    )
    return row | {
        "seq": last[0]["seq"],
        "state": last[0]["to_state"],
        "assignee": last[0]["assignee"],
        "decided_at": decided,
    }


def _append(store: Store, rows: list[dict[str, Any]], decision: _Decision) -> int:
    """One event and one new row for each alert; how many of the events are ours.

    The token names alert and step: of two processes that take the same step at once, the engine keeps the row
    of one, and the other reads here that it was not its own.
    """
    _, target = TRANSITIONS[decision.action]
    after = [
        row
        | {
            "seq": row["seq"] + 1,
            "state": target,
            "assignee": _assignee_after(row, decision),
            "decided_at": row["decided_at"] or decision.at_ns,
        }
        for row in rows
    ]
    steps = [
        {
            "id": old["id"],
            "seq": new["seq"],
            "at": decision.at_ns,
            "actor": decision.actor,
            "action": decision.action,
            "from_state": old["state"],
            "to_state": target,
            "assignee": new["assignee"],
            "note": decision.note,
            "request": decision.request,
        }
        for old, new in zip(rows, after, strict=True)
    ]
    first = steps[0]
    single = f"event:{first['id']}:{first['seq']}"
    store.insert(
        FINDING_EVENTS.name,
        table_of(FINDING_EVENTS, steps),
        single if len(steps) == 1 else f"events:{decision.request}:{first['id']}",
    )
    ours = _written_by(store, decision.request, first["id"] if len(steps) == 1 else "")
    kept = [row for row in after if (row["id"], row["seq"]) in ours]
    token = f"alerts:{decision.request}:{first['id']}"
    store.insert(ALERTS.name, table_of(ALERTS, kept), token)
    return len(kept)


def _assignee_after(row: dict[str, Any], decision: _Decision) -> str:
    if decision.action == "acknowledge":
        return decision.assignee or decision.actor
    if decision.action == "assign":
        return decision.assignee
    return "" if decision.action == "reopen" else str(row["assignee"])


def _written_by(store: Store, request: str, alert_id: str) -> set[tuple[str, int]]:
    which = " AND id = {id:String}" if alert_id else ""
    found: pa.Table = store.rows(
        f"SELECT id, seq FROM finding_events WHERE request = {{request:String}}{which}",
        {"request": request, "id": alert_id},
    )
    return set(zip(found.column("id").to_pylist(), found.column("seq").to_pylist(), strict=True))
