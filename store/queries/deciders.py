"""Who decided alerts, and how many alerts there are of a family of checks."""

from __future__ import annotations

from store.client import Store


def deciders(store: Store, site: str) -> tuple[int, int]:
    """How many names decided alerts of a site, and how many decisions there are."""
    (row,) = store.rows(
        "SELECT uniqExact(actor) AS people, count() AS decisions FROM finding_events "
        "WHERE id IN (SELECT id FROM alerts WHERE site = {site:String})",
        {"site": site},
    ).to_pylist()
    return row["people"], row["decisions"]


def alerts_of_kind(store: Store, site: str, prefix: str) -> int:
    """How many alerts of a site are of a check whose id begins so."""
    return int(
        store.one(
            "SELECT count() AS n FROM alerts FINAL WHERE site = {site:String} AND startsWith(kind, {prefix:String})",
            {"site": site, "prefix": prefix},
        )
    )
