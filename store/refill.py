"""Makes roll-ups equal to the minutes they are made of, where they are not.

A store of an older version has minutes without roll-ups; a process that died between the engine's two steps of one
insert may have left a block in the one and not in the other. Both show in the number of minutes.
"""

# ruff: noqa: S608 - names of our own are put into the text, values are bound

from __future__ import annotations

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
    version, made = schema_version(store), 0
    for rollup in ROLLUPS:
        if version < rollup.since:
            continue
        for replay in _differing(store, rollup):
            _make(store, rollup, replay)
            made += 1
    return made


def _differing(store: Store, rollup: Rollup) -> list[str]:
    # On a shared server a session that goes on is `judged`: another process may be inserting right now.
    whole = "('judged', 'done')" if store.exclusive else "('done')"
    rows = store.rows(
        f"SELECT replay FROM (SELECT replay, count() AS n, 0 AS rolled FROM sla_minutes GROUP BY replay UNION ALL "
        f"SELECT replay, 0 AS n, sum(minutes) AS rolled FROM {rollup.name} GROUP BY replay) "
        f"WHERE replay IN (SELECT id FROM replays FINAL WHERE state IN {whole}) "
        "GROUP BY replay HAVING sum(n) != sum(rolled) ORDER BY replay"
    )
    return [str(replay) for replay in rows.column("replay").to_pylist()]


def _make(store: Store, rollup: Rollup, replay: str) -> None:
    bound = {"replay": replay}
    names = ", ".join(("site", "replay", "start", *(rollup.key), *rollup.sums))
    store.command(f"ALTER TABLE {rollup.name} DROP PARTITION {{replay:String}}", bound)
    store.command(
        f"INSERT INTO {rollup.name} ({names}) {rollup.select('m.replay = {replay:String}')}",
        bound,
    )
    left = _differing(store, rollup)
    if replay in left:
        raise StoreError(
            f"{rollup.name} of replay {replay} could not be made: its minutes differ from the roll-up's; open the "
            "store again, alone"
        )
