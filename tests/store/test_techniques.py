"""What stored findings say of techniques is what the same findings say themselves."""

from __future__ import annotations

from analyzers.attack.layer import seen_in
from analyzers.findings import SuppressedBy
from store.client import Store
from store.queries.techniques import techniques_seen
from store.writer import ReplayWriter
from tests.store.samples import finding, outcome, replay_start

UNDER = SuppressedBy(id="s1", owner="ana", reason="tuning", until="2026-12-01")
FOUND = [
    finding(0, techniques=("T0855", "T0836")),
    finding(1, techniques=("T0855",), possible_techniques=("T0866", "T0836")),
    finding(2, techniques=(), possible_techniques=("T0866",), severity=2),
    finding(3, techniques=("T0842",), suppression=UNDER),
    finding(4, techniques=()),
]


def test_the_store_says_what_the_findings_say(store: Store) -> None:
    assert techniques_seen(store) == {}
    ReplayWriter(store, replay_start()).finish(FOUND, outcome())
    assert techniques_seen(store) == seen_in(FOUND)
    assert techniques_seen(store, "no-such-site") == {}
