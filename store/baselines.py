"""Baselines in the store: every one that was kept, by site; the latest is what the site is compared with."""

from __future__ import annotations

import time

from analyzers.baseline.comparing import Baseline
from analyzers.baseline.file import from_bytes, to_bytes
from store.client import Store
from store.rows import table_of
from store.schema import BASELINES


def keep_baseline(store: Store, baseline: Baseline) -> None:
    """Make it its site's baseline from now on; the ones before it stay, so that old findings can be explained."""
    now_ns = time.time_ns()
    row = {
        "site": baseline.site,
        "sha256": baseline.sha256,
        "text": to_bytes(baseline).decode(),
        "stored_at": now_ns,
    }
    token = f"baseline:{baseline.site}:{baseline.sha256}:{now_ns}"
    store.insert(BASELINES.name, table_of(BASELINES, [row]), token)


def stored_baseline(store: Store, site: str) -> Baseline | None:
    """The site's baseline; None where nobody kept one."""
    text = store.one(
        "SELECT text FROM baselines FINAL WHERE site = {site:String} ORDER BY stored_at DESC, sha256 LIMIT 1",
        {"site": site},
    )
    return None if text is None else from_bytes(str(text).encode(), f"the baseline of {site} in {store.url}")


def baseline_text(store: Store, sha256: str) -> str | None:
    """A baseline that was kept, as its file has it; None where none has this SHA-256."""
    text = store.one(
        "SELECT text FROM baselines FINAL WHERE sha256 = {sha256:String} LIMIT 1", {"sha256": sha256}
    )
    return None if text is None else str(text)


def sites_with_baseline(store: Store) -> list[str]:
    """The sites that have one, by id."""
    return [
        str(row["site"])
        for row in store.rows("SELECT DISTINCT site FROM baselines ORDER BY site").to_pylist()
    ]
