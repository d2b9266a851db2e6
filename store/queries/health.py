"""Is the store there, what is in it, when was the last packet: one answer."""

from __future__ import annotations

from store.answers import Health
from store.client import Store
from store.migrate import schema_version
from store.rows import moment


def health(store: Store) -> Health:
    """The store's own state; StoreError where it does not answer."""
    row = store.rows(
        "SELECT (SELECT count() FROM replays FINAL WHERE state IN ('judged', 'done')) AS replays, "
        "(SELECT count() FROM alerts FINAL) AS alerts, "
        "(SELECT if(count() = 0, NULL, toUnixTimestamp64Nano(max(last_ts))) FROM replays FINAL "
        "WHERE state IN ('judged', 'done') AND packets > 0) AS last_ns"
    ).to_pylist()[0]
    return Health(
        store=store.url,
        schema_version=schema_version(store),
        replays=row["replays"],
        alerts=row["alerts"],
        last_packet=moment(row["last_ns"]),
    )
