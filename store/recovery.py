"""Carries a replay over its last step: from 'judged' (every row stored) to 'done' (its alerts in the queue).

Every step may run twice: a process that died between them left nothing that the next one must undo.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from store.gathering import gather_alerts, pieces
from store.schema import ALERTS, FINDINGS, REPLAYS

if TYPE_CHECKING:
    from store.client import Store

#: On a shared server a replay may be 'judged' because its own process is just about to finish it.
_LEFT_ALONE_S: Final = 60

_FROM_FINDING: Final = tuple(column.name for column in FINDINGS.columns if column.name != "finding")

# one alert for each finding id: the same traffic in another capture adds no second one; a finding under a suppression
# is one that its owner has decided about already
_RAISE_ALERTS: Final = f"""
INSERT INTO alerts ({", ".join(f"`{column.name}`" for column in ALERTS.columns)})
SELECT {", ".join(f"`{name}`" for name in _FROM_FINDING)},
    site, 0, if(JSONExtractString(finding, 'suppression', 'id') = '', 'new', 'suppressed'),
    JSONExtractString(finding, 'suppression', 'owner'), fromUnixTimestamp64Nano({{now:Int64}}, 'UTC'), NULL
FROM findings
WHERE replay = {{replay:String}} AND """  # noqa: S608 - names of declared columns, no value
_ALL: Final = "id NOT IN (SELECT id FROM alerts)"
#: A session asks often, and its store holds more alerts every day: those of long ago are not looked at.
_OF_THESE: Final = """
    id IN {ids:Array(String)} AND id NOT IN (SELECT id FROM alerts WHERE id IN {ids:Array(String)})"""

_KEPT: Final = tuple(c.name for c in REPLAYS.columns if c.name not in ("step", "state"))

_MARK_DONE: Final = f"""
INSERT INTO replays (step, state, {", ".join(f"`{name}`" for name in _KEPT)})
SELECT step + 1, 'done', {", ".join(f"`{name}`" for name in _KEPT)}
FROM replays FINAL
WHERE id = {{replay:String}} AND state = 'judged'
"""  # noqa: S608 - names of declared columns, no value


def raise_alerts(store: Store, replay: str, ids: Sequence[str] | None = None) -> None:
    """Put an alert in the queue for each finding of the replay that has none yet, and each into its incident.

    `ids`: those of its findings that may have none; None: any.
    """
    bound = {"replay": replay, "now": time.time_ns()}
    if ids is None:
        store.command(_RAISE_ALERTS + _ALL, bound)
        gather_alerts(store, replay)
        return
    for piece in pieces(ids):
        store.command(_RAISE_ALERTS + _OF_THESE, {**bound, "ids": piece})
        gather_alerts(store, ids=piece)


def finish_replay(store: Store, replay: str) -> None:
    """Raise the alerts of a judged replay and mark it done."""
    raise_alerts(store, replay)
    store.command(_MARK_DONE, {"replay": replay})


def finish_judged(store: Store) -> None:
    """Finish what a process that ended between 'judged' and 'done' left behind."""
    wait_s = 0 if store.exclusive else _LEFT_ALONE_S
    left = store.rows(
        "SELECT id FROM replays FINAL WHERE state = 'judged' "
        "AND ended_at <= fromUnixTimestamp64Nano({before:Int64}, 'UTC')",
        {"before": time.time_ns() - wait_s * 1_000_000_000},
    )
    for replay in left.column("id").to_pylist():
        finish_replay(store, replay)
