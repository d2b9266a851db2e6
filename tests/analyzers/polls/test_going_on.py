"""Outages that go on, judged every minute: each time what a capture that ends there shows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.conversations import Conversations
from analyzers.findings import canonical_line
from analyzers.polls import going_on
from analyzers.polls.slots import Slot
from analyzers.polls.watch import Polls
from policy.zoning import CompiledSite
from sensors.records import COVERAGE, FLOW_MINUTES, FLOW_STARTS, MODBUS
from tests.analyzers.polls.telling import CAPTURE, DECLARED, POLICY, Told, site_with
from tests.policy.factories import MINUTE, NOON, batch, row

#: What becomes of requests, and for how many seconds.
STORIES = st.lists(st.tuples(st.sampled_from("guel--"), st.sampled_from([3, 30, 200, 500])), max_size=5)
MINUTES = st.sets(st.integers(1, 20), max_size=2)
PERIOD_S = 3


def by_minute(told: Told, last: int) -> list[dict[str, Any]]:
    """The rows of each minute as they come: requests when answered or after a minute, what was seen when it is over."""
    parts: list[dict[str, list[Any]]] = [
        {"modbus": [], "flow_minutes": [], "coverage": []} for _ in range(last + 3)
    ]
    for one in told.wire.transactions:
        came_ns = one["ts"] + (MINUTE if one["latency_ns"] is None else one["latency_ns"])
        parts[(came_ns - NOON) // MINUTE]["modbus"].append(one)
    for one in told.wire.minutes:
        parts[(one["minute"] - NOON) // MINUTE + 1]["flow_minutes"].append(one)
    for number in range(last + 1):
        at = NOON + number * MINUTE
        lost = 50 if at in told.lossy_minutes else 0
        if at not in told.silent_minutes:
            parts[number + 1]["coverage"].append(
                row(COVERAGE, minute=at, packets=1_000, unseen_segments=lost)
            )
    tables = {"modbus": MODBUS, "flow_minutes": FLOW_MINUTES, "coverage": COVERAGE}
    made = [{name: batch(tables[name], rows) for name, rows in part.items() if rows} for part in parts]
    made[0]["flow_starts"] = batch(FLOW_STARTS, told.wire.starts)
    return made


def shown(polls: Polls) -> tuple[bytes, dict[Any, int], dict[int, int]]:
    judgement = polls.judged()
    lines = b"".join(map(canonical_line, polls.finish(CAPTURE)))
    return lines, dict(judgement.missed), dict(judgement.stopped)


def told_of(
    story: list[tuple[str, int]], silent: set[int], lossy: set[int], tried: set[int]
) -> tuple[Told, int]:
    told, at_s = Told(), 60.0
    told.poll("g" * 20, period_s=PERIOD_S)
    told.poll("g" * 20, period_s=PERIOD_S, address=7, from_s=1)
    for letter, seconds in story:
        at_s = told.poll(letter * (seconds // PERIOD_S), period_s=PERIOD_S, from_s=at_s)
    last = int(at_s // 60) + 2
    for number in range(last):
        told.seen(60.0 * number + 1)
    for number in tried:
        told.seen(
            60.0 * number + 5, told.flow(anew=True), syn_frame=900 + number, established=False,
            packets=(1, 0), payload=(0, 0),
        )  # fmt: skip
    told.silent_minutes = {NOON + number * MINUTE for number in silent}
    told.lossy_minutes = {NOON + number * MINUTE for number in lossy}
    return told, max(last, *tried, 0)


def fed(site: CompiledSite, parts: list[dict[str, Any]]) -> Polls:
    conversations, polls = Conversations(site), Polls(site, POLICY, "0.1.0")
    for part in parts:
        polls.feed(conversations.enrich(part), part.get("coverage"))
    return polls


@settings(deadline=None, max_examples=8)
@given(STORIES, MINUTES, MINUTES, MINUTES, st.booleans(), st.integers(0, 30))
def test_every_minute_shows_what_a_capture_that_ends_there_shows(
    story: list[tuple[str, int]],
    silent: set[int],
    lossy: set[int],
    tried: set[int],
    declared: bool,
    looked: int,
) -> None:
    told, last = told_of(story, silent, lossy, tried)
    site = site_with(polls=DECLARED if declared else "")
    parts = by_minute(told, last)
    conversations, live = Conversations(site), Polls(site, POLICY, "0.1.0")
    for number, part in enumerate(parts):
        live.feed(conversations.enrich(part), part.get("coverage"))
        now = shown(live)
        if number in (looked, len(parts) - 1):
            assert now == shown(fed(site, parts[: number + 1]))


def test_slots_of_a_long_outage_are_looked_at_once(monkeypatch: Any) -> None:
    told, last = told_of([("u", 500), ("-", 500), ("-", 500), ("-", 500)], set(), set(), set())
    looked: list[int] = []
    take = going_on.Judged.take

    def counted(self: going_on.Judged, slot: Slot) -> None:
        looked.append(slot.at_ns)
        take(self, slot)

    monkeypatch.setattr(going_on.Judged, "take", counted)
    site, parts = site_with(), by_minute(told, last)
    conversations, live = Conversations(site), Polls(site, POLICY, "0.1.0")
    by_now = []
    for part in parts:
        live.feed(conversations.enrich(part), part.get("coverage"))
        live.judged()
        by_now.append(len(looked))
        looked.clear()
    # Two polls; the slots of the last five minutes, and those of the minute that became too old for them.
    assert max(by_now[10:]) <= 2 * 7 * 60 // PERIOD_S < sum(by_now[:3] + by_now[10:])
