from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from analyzers.findings import canonical_line
from store.client import Store
from store.migrate import FOLDER
from store.queries.health import health
from store.queries.replays import active_policies, findings, get_replay, list_replays, policy_text
from store.writer import ReplayWriter
from tests.store.samples import START, START_NS, at, finding, outcome, replay_start


def test_an_empty_store_has_no_replay_no_policy_and_no_last_packet(store: Store) -> None:
    assert list_replays(store).replays == ()
    assert get_replay(store, "0" * 32) is None
    assert active_policies(store) == []
    assert policy_text(store, "0" * 64) is None
    state = health(store)
    assert (state.replays, state.alerts, state.last_packet, state.schema_version) == (
        0,
        0,
        None,
        len(list(FOLDER.glob("*.sql"))),
    )
    assert state.store == store.url


def test_a_replay_says_what_was_judged_and_what_came_out(store: Store) -> None:
    writer = ReplayWriter(store, replay_start())
    writer.finish([finding(1), finding(2)], outcome(first_ns=START_NS + 123_456_789))
    replay = get_replay(store, writer.id)
    assert replay is not None
    start = replay_start()
    assert (replay.site, replay.capture_name, replay.capture_bytes) == ("mine-a", "shift-change.pcap", 4096)
    assert (replay.capture_sha256, replay.policy_sha256) == (start.capture_sha256, start.policy_sha256)
    assert (replay.first_ns, replay.last_ns) == (START_NS + 123_456_789, START_NS + 7 * 60 * 10**9)
    assert (replay.packets, replay.malformed_packets, replay.flows, replay.transactions) == (420, 1, 3, 40)
    assert (replay.findings, replay.findings_sha256, replay.coverage) == (2, "ab" * 32, 0.998)
    assert replay.ended_at is not None
    assert START < replay.started_at <= replay.ended_at <= datetime.now(UTC)
    assert health(store).last_packet == at(7)


def test_findings_come_back_as_the_canonical_file_had_them(store: Store) -> None:
    found = [finding(number, title=f"→ Ölmühle {number}") for number in (3, 1, 2)]
    writer = ReplayWriter(store, replay_start())
    writer.finish(found, outcome())
    file = b"".join(canonical_line(one) for one in (found[1], found[2], found[0]))
    stored = b"".join(canonical_line(one) for one in findings(store, writer.id))
    assert hashlib.sha256(stored).digest() == hashlib.sha256(file).digest()
    assert findings(store, "0" * 32) == []


def test_replays_are_listed_latest_first_in_pages(store: Store) -> None:
    made = []
    for number in range(5):
        writer = ReplayWriter(store, replay_start(f"{number}.pcap"))
        writer.finish([], outcome())
        made.append(writer.id)
    seen, after = [], ""
    for _ in range(3):
        page = list_replays(store, after, limit=2)
        seen.append([replay.id for replay in page.replays])
        after = page.next
    assert seen == [made[:2:-1], made[2:0:-1], made[:1]]
    assert after == ""
    with pytest.raises(ValueError, match="cursor is damaged"):
        list_replays(store, "x")


def test_the_active_policy_is_that_of_the_latest_finished_replay(store: Store) -> None:
    for name, text in (("old.yaml", "site: 1\n"), ("new.yaml", "site: 2\n")):
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        changes = {"policy_name": name, "policy_text": text, "policy_sha256": sha256}
        ReplayWriter(store, replay_start(**changes)).finish([], outcome())
    unfinished = ReplayWriter(
        store, replay_start("later.pcap", policy_sha256="12" * 32, policy_text="site: 3\n")
    )
    unfinished.fail("the capture is cut")
    assert active_policies(store) == [("new.yaml", sha256, "site: 2\n")]
    assert policy_text(store, hashlib.sha256(b"site: 1\n").hexdigest()) == "site: 1\n"
    assert policy_text(store, "12" * 32) == "site: 3\n"


def test_each_site_has_the_policy_of_its_own_latest_replay(store: Store) -> None:
    for site, text in (("north", "site: 1\n"), ("south", "site: 2\n"), ("north", "site: 3\n")):
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        start = replay_start(site=site, policy_text=text, policy_sha256=sha256)
        ReplayWriter(store, start).finish([], outcome())
    assert [text for _, _, text in active_policies(store)] == ["site: 3\n", "site: 2\n"]


def test_a_failed_replay_is_listed_with_its_reason_and_counts_nowhere(store: Store) -> None:
    ReplayWriter(store, replay_start()).fail("it is no capture")
    (replay,) = list_replays(store).replays
    assert (replay.state, replay.reason, replay.findings) == ("failed", "it is no capture", 0)
    assert (health(store).replays, health(store).last_packet) == (0, None)
