"""Makes roll-ups equal to the minutes they are made of, where they are not.

A store of an older version has minutes without roll-ups; a process that died between the engine's two steps of one
insert may have left a block in the one and not in the other. Both show in the number of minutes.
"""

# ruff: noqa: S608 - names of our own are put into the text, values are bound

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.errors import StoreError
from store.migrate import schema_version
from store.rollups import ROLLUPS, Rollup

if TYPE_CHECKING:
    from store.client import Store


def refill(store: Store) -> int:
    """Make every roll-up anew of each whole replay whose sums are not those of its minutes; how many were made.

    A replay that may be being written is left alone: its own process counts what it wrote.
    """
    version = schema_version(store)
    differing = _differing(store, [one for one in ROLLUPS if version >= one.since])
    for rollup, replay in differing:
        _make(store, rollup, replay)
    return len(differing)


def _differing(store: Store, rollups: Sequence[Rollup]) -> list[tuple[Rollup, str]]:
    """Each roll-up and replay that do not agree, in one query: it is asked whenever a store is opened."""
    if not rollups:
        return []
    by_name = {rollup.name: rollup for rollup in rollups}
    # On a shared server a session that goes on is `judged`: another process may be inserting right now.
    whole = "('judged', 'done')" if store.exclusive else "('done')"
    names = ", ".join(f"'{name}'" for name in by_name)
    rolled = " UNION ALL ".join(
        f"SELECT '{name}' AS name, replay, 0 AS n, sum(minutes) AS rolled FROM {name} GROUP BY replay"
        for name in by_name
    )
    rows = store.rows(
        f"SELECT name, replay FROM (SELECT arrayJoin([{names}]) AS name, replay, n, 0 AS rolled "
        f"FROM (SELECT replay, count() AS n FROM sla_minutes GROUP BY replay) UNION ALL {rolled}) "
        f"WHERE replay IN (SELECT id FROM replays FINAL WHERE state IN {whole}) "
        "GROUP BY name, replay HAVING sum(n) != sum(rolled) ORDER BY name, replay"
    )
    return [(by_name[row["name"]], str(row["replay"])) for row in rows.to_pylist()]


def _make(store: Store, rollup: Rollup, replay: str) -> None:
    bound = {"replay": replay}
    names = ", ".join(("site", "replay", "start", *(rollup.key), *rollup.sums))
    store.command(f"ALTER TABLE {rollup.name} DROP PARTITION {{replay:String}}", bound)
    store.command(
        f"INSERT INTO {rollup.name} ({names}) {rollup.select('m.replay = {replay:String}')}",
        bound,
    )
    if (rollup, replay) in _differing(store, [rollup]):
        raise StoreError(
            f"{rollup.name} of replay {replay} could not be made: its minutes differ from the roll-up's; open the "
            "store again, alone"
        )
